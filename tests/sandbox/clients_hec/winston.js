// winston with winston-splunk-httplogger.
const winston = require("winston");
const SplunkStreamEvent = require("winston-splunk-httplogger");

const transport = new SplunkStreamEvent({
  splunk: { token: process.env.HEC_TOKEN, url: process.env.HEC_URL, index: "main", sourcetype: "winston", strictSSL: true },
  maxBatchCount: 1,
});
transport.server.requestOptions.strictSSL = true;
transport.on("error", (error) => {
  console.log(JSON.stringify({ error: String(error) }));
  process.exit(1);
});
const logger = winston.createLogger({ transports: [transport] });
transport.on("logged", () => console.log(JSON.stringify({ logged: true })));
logger.info("charged", { amount: 12.5 });
