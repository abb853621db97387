// Lighthouse, mobile, in one Chromium. Arguments: runs, comma-separated categories, then addresses. Prints one line of
// JSON a run: the address, the score of each category from 0 to 100, and the audits that cost points.
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";

const [runs, categories, ...addresses] = process.argv.slice(2);
// Only the speed of a page needs a picture of it, and a pause after it has loaded, which is most of the time taken.
const waits = ["pauseAfterFcpMs", "pauseAfterLoadMs", "networkQuietThresholdMs", "cpuQuietThresholdMs"];
const settings =
  categories === "performance"
    ? {}
    : { disableFullPageScreenshot: true, ...Object.fromEntries(waits.map((wait) => [wait, 0])) };
console.warn = () => {}; // the theme's scripts have source maps that Lighthouse cannot read to the end
const chrome = await launch({ chromePath: process.env.CHROMIUM, chromeFlags: process.env.CHROMIUM_FLAGS.split(" ") });
for (const address of addresses) {
  for (let run = 0; run < Number(runs); run++) {
    const look = () =>
      lighthouse(address, {
        port: chrome.port,
        onlyCategories: categories.split(","),
        throttlingMethod: "simulate",
        logLevel: "error",
        ...settings,
      });
    let { lhr } = await look();
    if (lhr.runtimeError) ({ lhr } = await look()); // a busy machine may paint too late for it
    const scores = {};
    const lost = [];
    for (const { id, score, auditRefs } of Object.values(lhr.categories)) {
      scores[id] = Math.round(score * 100);
      for (const { id: audit, weight } of auditRefs) {
        const { score: part, title } = lhr.audits[audit];
        if (weight && part !== null && part < 1) lost.push(`${audit}: ${title}`);
      }
    }
    console.log(JSON.stringify({ address, scores, lost, error: lhr.runtimeError?.message }));
  }
}
await chrome.kill();
