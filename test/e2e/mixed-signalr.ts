// Stock SignalR clients of the mixed crowd, each behind a wire of its own.

import {
  HttpTransportType,
  HubConnectionBuilder,
  HubConnectionState,
  JsonHubProtocol,
  LogLevel,
  type HubConnection,
} from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { eventually } from "./client.ts";
import { parsed } from "./mixed-record.ts";
import { Member, type HowCut, type Place } from "./mixed-crowd.ts";
import { PATIENT } from "./signalr/faults.ts";

export interface Way {
  readonly transport: keyof typeof HttpTransportType;
  readonly isPacked?: boolean;
  readonly stateful?: boolean;
}

export class SignalRMember extends Member {
  readonly connection: HubConnection;
  override readonly rooms: readonly string[];
  readonly #way: Way;
  /** Whether this connection is in its rooms. */
  #isIn = false;

  constructor(place: Place, way: Way, listens = true) {
    super(place);
    this.#way = way;
    this.rooms = listens ? place.crowd.records.map(({ room }) => room) : [];
    this.connection = this.#build();
    this.connection.onreconnecting(() => void (this.#isIn = false));
    this.connection.onreconnected(() => this.#begin());
    this.connection.on("Said", (text: string) => {
      const { stamp, room } = parsed(text);
      this.record(room).heardUnplaced(this.name, stamp);
    });
  }

  #build(): HubConnection {
    const { transport, isPacked, stateful } = this.#way;
    const { hub, endpoint } = this.crowd;
    const builder = new HubConnectionBuilder()
      .withUrl(`${this.proxy.url}/hubs/${hub}?client=${this.name}`, {
        transport: HttpTransportType[transport],
        accessTokenFactory: () => endpoint.token(this.name),
      })
      .withHubProtocol(isPacked ? new MessagePackHubProtocol() : new JsonHubProtocol())
      .withAutomaticReconnect(PATIENT)
      .configureLogging(LogLevel.None);
    return (stateful ? builder.withStatefulReconnect() : builder).build();
  }

  override async enter(): Promise<void> {
    await this.connection.start();
    await this.#begin();
  }

  /** A connection is in no room at first, and is told by nobody where it stands. */
  async #begin(): Promise<void> {
    const joined = this.rooms.map(async (room) => {
      this.record(room).begins(this.name);
      await this.connection.invoke("Join", room.slice("group:".length));
    });
    // Where it is cut again meanwhile, it begins anew.
    const outcomes = await Promise.allSettled(joined);
    this.#isIn = outcomes.every(({ status }) => status === "fulfilled");
  }

  override async cut(how: HowCut): Promise<void> {
    if (how !== "close") return void this.proxy.sever(how);
    this.#isIn = false;
    await this.connection.stop();
    await this.enter();
  }

  /** Asked over whatever connection there is then: one whose loss it has not noticed yet answers nothing. */
  override async back(): Promise<void> {
    const answers = async () => {
      if (this.connection.state !== HubConnectionState.Connected || !this.#isIn) return false;
      return this.connection.invoke("Echo", 1).then(
        () => this.#isIn,
        () => false,
      );
    };
    await eventually(answers, `${this.name} is back`);
  }

  override async say(room: string, text: string): Promise<void> {
    await this.connection.invoke("Say", room.slice("group:".length), text);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.stop();
    await super[Symbol.asyncDispose]();
  }
}
