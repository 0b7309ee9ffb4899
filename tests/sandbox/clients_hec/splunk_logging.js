// Splunk's own logger for JavaScript: one event, then a batch, then an error that the server answers.
const { Logger } = require("splunk-logging");

const common = { token: process.env.HEC_TOKEN, url: process.env.HEC_URL, strictSSL: true };

function sent(logger, context) {
  return new Promise((resolve) => logger.send(context, (error, response, body) => resolve({ error, body })));
}

async function main() {
  const single = new Logger(common);
  single.requestOptions.strictSSL = true;
  const one = await sent(single, {
    message: { temperature: "70F", chickenCount: 500 },
    metadata: { time: 1700000000.5, source: "chicken coop", sourcetype: "httpevent", index: "main", host: "farm.local" },
    severity: "info",
  });

  const batch = new Logger({ ...common, maxBatchCount: 3 });
  batch.requestOptions.strictSSL = true;
  const replies = [];
  const flushed = new Promise((resolve) => {
    for (const name of ["first", "second", "third ü"]) {
      batch.send({ message: name }, (error, response, body) => {
        replies.push(body);
        resolve();
      });
    }
  });
  await flushed;

  const wrong = new Logger({ ...common, token: "00000000-0000-0000-0000-000000000000" });
  wrong.requestOptions.strictSSL = true;
  const refused = new Promise((resolve) => (wrong.error = (error) => resolve(error.code)));
  wrong.send({ message: "never" });
  console.log(JSON.stringify({ one: one.body, batch: replies, refused: await refused }));
}

main();
