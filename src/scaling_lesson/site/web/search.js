// The theme starts its search with every page. This starts it when somebody searches; from a folder, where browsers
// allow no worker, in a hidden frame.
{
  const { Worker } = window;
  const pass = (data, to) => to.dispatchEvent(new MessageEvent("message", { data }));

  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.url = url;
    }

    async start() {
      if (location.protocol !== "file:") {
        const worker = new Worker(this.url);
        worker.onmessage = ({ data }) => pass(data, this);
        return (data) => worker.postMessage(data);
      }
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      const inside = frame.contentWindow;
      inside.postMessage = (data) => pass(data, this);
      const script = inside.document.createElement("script");
      script.src = this.url;
      await new Promise((ready) => {
        script.onload = ready;
        inside.document.head.append(script);
      });
      return (data) => pass(data, inside);
    }

    async postMessage(data) {
      this.started ??= this.start();
      (await this.started)(data);
    }
  };
}
