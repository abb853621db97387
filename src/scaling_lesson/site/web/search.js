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
        return worker;
      }
      const frame = document.createElement("iframe");
      frame.hidden = true;
      const room = document.body.appendChild(frame).contentWindow;
      room.postMessage = (data) => pass(data, this);
      const script = document.createElement("script");
      script.src = this.url;
      room.document.head.append(script);
      await new Promise((ready) => (script.onload = ready));
      return { postMessage: (data) => pass(data, room) };
    }

    async postMessage(data) {
      (await (this.started ??= this.start())).postMessage(data);
    }
  };
}
