// bunyan with Splunk's stream.
const bunyan = require("bunyan");
const splunk = require("splunk-bunyan-logger");

const stream = splunk.createStream({ token: process.env.HEC_TOKEN, url: process.env.HEC_URL, maxBatchCount: 2 });
stream.stream.logger.requestOptions.strictSSL = true;
stream.on("error", (error) => {
  console.log(JSON.stringify({ error: String(error) }));
  process.exit(1);
});
const log = bunyan.createLogger({ name: "shop", streams: [stream] });
const send = stream.stream.logger._sendEvents.bind(stream.stream.logger);
stream.stream.logger._sendEvents = (context, callback) =>
  send(context, (error, response, body) => {
    console.log(JSON.stringify({ body }));
    callback(error, response, body);
  });
log.info({ order: 17 }, "placed");
log.error({ order: 18 }, "refused");
