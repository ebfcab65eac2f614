// A mail server for the other scripts. It keeps the mails that arrive.

import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import PostalMime from "postal-mime";
import { SMTPServer } from "smtp-server";

/**
 * Creates a mail server with options of `SMTPServer`. `listen(port)` starts it. `mailsTo(address, count)` waits until `count` mails to an
 * address have arrived, and returns them. `mails` has all mails.
 */
export function mailServer(options) {
  const mails = [];
  let arrived = () => {};
  const server = new SMTPServer({
    ...options,
    onData(stream, session, done) {
      buffer(stream).then((bytes) => PostalMime.parse(bytes)).then((mail) => {
        mails.push({ to: session.envelope.rcptTo.map(({ address }) => address).join(), subject: mail.subject, text: mail.text, html: mail.html });
        done();
        arrived();
      }, done);
    },
  });
  async function listen(port) {
    server.listen(port, "127.0.0.1");
    await once(server.server, "listening");
  }
  /** A mail leased by a killed process is retried only after three minutes. Without such, `timeout` may be shorter. */
  async function mailsTo(address, count, timeout = 240_000) {
    const deadline = AbortSignal.timeout(timeout);
    for (;;) {
      const received = mails.filter(({ to }) => to === address);
      if (received.length >= count) return received;
      await new Promise((resolve, reject) => {
        arrived = resolve;
        deadline.addEventListener("abort", () => reject(new Error(`${received.length} of ${count} mails to ${address}`)));
      });
    }
  }
  return { mails, mailsTo, listen, close: () => server.close() };
}

/** The link with a token in a mail. */
export const linkIn = ({ text }) => text.match(/https?:\/\/\S+\?token=\S+/)[0];
