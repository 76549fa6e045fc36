import { connect, createServer, type Server, type Socket } from "node:net";

/** COMMIT as a prepared statement that is named as it reads. Source: PostgreSQL, "Message Formats", Bind. */
const COMMIT = Buffer.from("\0COMMIT\0", "latin1");

/**
 * Between the program and PostgreSQL, on the loopback address. When armed, it lets one COMMIT through and hangs up
 * before its reply, or hangs up instead of letting it through: the program cannot know which.
 */
export class CommitProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #armed: { readonly lose: "reply" | "request"; readonly done: () => void } | undefined;

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#server = createServer((client) => this.#join(client, connect(target)));
  }

  static async open(target: { readonly host: string; readonly port: number }): Promise<CommitProxy> {
    const proxy = new CommitProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Resolves when the next COMMIT was lost. */
  loseNext(lose: "reply" | "request"): Promise<void> {
    return new Promise((done) => {
      this.#armed = { lose, done };
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket, server: Socket): void {
    let isLosing = false;
    const hangUp = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.on("error", hangUp);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        hangUp();
      });
    }
    client.on("data", (chunk: Buffer) => {
      const armed = this.#armed;
      if (armed === undefined || isLosing || !chunk.includes(COMMIT)) return void server.write(chunk);
      this.#armed = undefined;
      isLosing = true;
      if (armed.lose === "reply") {
        server.write(chunk);
        // Whatever the server still says, COMMIT's answer among it, reaches nobody.
        server.removeAllListeners("data");
        server.on("data", (reply: Buffer) => {
          if (!reply.includes("COMMIT\0") && !reply.includes("ROLLBACK\0")) return;
          hangUp();
          armed.done();
        });
      } else {
        hangUp();
        armed.done();
      }
    });
    server.on("data", (chunk) => client.write(chunk));
  }
}
