// An installation that nobody has set up yet, with a made-up Heroku to read and somebody who is told of findings.

import { spawn, type ChildProcess } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** How long a program may take to say where it listens, in milliseconds. */
const START = 60_000;

/** What was told: the document, and whether its signature is right. */
export interface Told {
  type: string;
  data: { event: string; rule: string; finding: string; subject: string; command?: string };
  signed: boolean;
}

/** A program that runs until the test is over. */
class Running {
  private constructor(private readonly child: ChildProcess, readonly found: string[]) {}

  /** Starts it, and reads its lines until each pattern has been found in one. */
  static async start(folder: string, words: string[], patterns: RegExp[]): Promise<Running> {
    const program = process.env["METSUKE_PROGRAM"] ?? "";
    const { PATH } = process.env;
    const env = { PATH, HOME: folder, METSUKE_ALLOW_PRIVATE: "127.0.0.0/8", METSUKE_ALLOW_PLAIN: "1" };
    const child = spawn(program, words, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    const found: string[] = [];
    const lines: string[] = [];
    await new Promise<void>((ready, fail) => {
      const wrong = (why: string): void => fail(new Error(`metsuke ${words.join(" ")} ${why}:\n${lines.slice(-20).join("\n")}`));
      const late = setTimeout(() => wrong("does not say where it listens"), START);
      child.once("error", (error) => wrong(error.message));
      child.once("exit", (code) => wrong(`ended with ${code ?? "a signal"}`));
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on("line", (line) => {
          lines.push(line);
          for (const [at, pattern] of patterns.entries()) {
            const told = pattern.exec(line)?.[1];
            if (told !== undefined) found[at] ??= told;
          }
          if (patterns.every((_, at) => found[at] !== undefined)) {
            clearTimeout(late);
            ready();
          }
        });
      }
    });
    return new Running(child, found);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = new Promise((done) => this.child.once("exit", done));
    this.child.kill("SIGTERM");
    await ended;
  }
}

/** All of it. */
export class Fresh {
  private constructor(
    /** Where it is, and the link for the first person. */
    readonly url: string,
    readonly setup: string,
    /** The made-up Heroku, and a token for it. */
    readonly heroku: string,
    readonly token: string,
    /** Where somebody is told, and what signs. */
    readonly receiver: string,
    readonly secret: string,
    private readonly messages: Told[],
    private readonly end: () => Promise<void>,
  ) {}

  /** Starts it. */
  static async start(): Promise<Fresh> {
    const folder = await mkdtemp(join(tmpdir(), "metsuke-"));
    const key = randomBytes(32);
    const messages: Told[] = [];
    const receiver = await listening((request, body) => {
      const [id, at] = ["webhook-id", "webhook-timestamp"].map((name) => String(request.headers[name]));
      const right = createHmac("sha256", key).update(`${id}.${at}.${body}`).digest("base64");
      messages.push({ ...(JSON.parse(body) as Told), signed: request.headers["webhook-signature"] === `v1,${right}` });
    });
    const running: Running[] = [];
    const end = async (): Promise<void> => {
      await Promise.all(running.map((program) => program.stop()));
      receiver.close();
      await rm(folder, { recursive: true, force: true });
    };
    try {
      const heroku = await Running.start(
        folder,
        ["simulate", "--size", "small", "--listen", "127.0.0.1:0"],
        [/listening on (http\S+)/, /^token (\S+)/],
      );
      running.push(heroku);
      const served = await Running.start(
        folder,
        ["serve", "--listen", "127.0.0.1:0", "--database", `sqlite:${join(folder, "metsuke.db")}`],
        [/listening on (http\S+)/, /(http\S+\/setup\?link=[\w-]+)/],
      );
      running.push(served);
      const [url = "", setup = ""] = served.found;
      const [address = "", token = ""] = heroku.found;
      const { port } = receiver.address() as AddressInfo;
      const secret = `whsec_${key.toString("base64")}`;
      return new Fresh(url, setup, address, token, `http://127.0.0.1:${port}/told`, secret, messages, end);
    } catch (error) {
      await end();
      throw error;
    }
  }

  /** What was told so far. */
  told(): readonly Told[] {
    return this.messages;
  }

  async stop(): Promise<void> {
    await this.end();
  }
}

/** A server that takes whatever is sent to it. */
async function listening(take: (request: IncomingMessage, body: string) => void): Promise<Server> {
  const server = createServer((request, answer) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      take(request, Buffer.concat(parts).toString("utf8"));
      answer.writeHead(204).end();
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return server;
}
