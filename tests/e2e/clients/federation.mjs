// Composes the subgraph with another one that refers to `User`, by Apollo's composition, and sends queries through Apollo's gateway.
// node federation.mjs <binary>

import { once } from "node:events";
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { composeServices } from "@apollo/composition";
import { ApolloGateway, RemoteGraphQLDataSource } from "@apollo/gateway";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { graphql, parse, print } from "graphql";
import { accounts } from "./accounts.mjs";
import { check, finish } from "./checks.mjs";
import { atExit, start } from "./server.mjs";

const [binary] = process.argv.slice(2);
const PORTS = { accounts: 8251, orders: 8252 };

const server = await start(binary, PORTS.accounts, { FEDERATION: "true", BCRYPT_COST: "10", RUST_LOG: "warn,hallpass::cli=info" });
const origin = `http://127.0.0.1:${PORTS.accounts}`;
const client = accounts(origin);
const ada = (await client.register("ada")).data.register;
const grace = (await client.register("grace")).data.register;
server.run(["user", "set-roles", "grace", "admin"]);
const admin = (await client.login("grace")).data.login;

/** Sends a request to Hallpass itself. */
async function send(query, variables, token) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  return (await fetch(`${origin}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) })).json();
}

/** The other subgraph: orders, with their buyers, and a field of users. It has a type of the same name as one of Hallpass, too. */
const typeDefs = parse(`
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@shareable"])
  type Query { orders: [Order!]! }
  type Order @key(fields: "id") { id: ID! buyer: User }
  type User @key(fields: "id") { id: ID! orderCount: Int! }
  type PageInfo @shareable { hasNextPage: Boolean! }
`);
const idOf = async ({ accessToken }) => (await send("{ me { id } }", {}, accessToken)).data.me.id;
const buyers = [await idOf(ada), await idOf(admin), "01a22a82-7800-72e6-8222-c79184436a1a"];
const orders = buyers.map((id, index) => ({ id: String(index), buyer: { __typename: "User", id } }));
const resolvers = {
  Query: { orders: () => orders },
  User: { orderCount: ({ id }) => orders.filter(({ buyer }) => buyer.id === id).length },
};
const schema = buildSubgraphSchema({ typeDefs, resolvers });
const other = createServer(async (request, response) => {
  const { query: source, variables: variableValues } = JSON.parse(await buffer(request));
  const result = await graphql({ schema, source, variableValues });
  response.setHeader("content-type", "application/json").end(JSON.stringify(result));
});
await once(other.listen(PORTS.orders, "127.0.0.1"), "listening");
atExit(() => other.close());

const printed = server.run(["schema", "--federation"]);
const service = (await send("{ _service { sdl } }")).data._service.sdl;
check("the command prints the schema of the subgraph", print(parse(printed)) === print(parse(service)));

const composed = composeServices([
  { name: "accounts", url: `${origin}/graphql`, typeDefs: parse(printed) },
  { name: "orders", url: `http://127.0.0.1:${PORTS.orders}/`, typeDefs },
]);
check("the subgraphs compose", !composed.errors, composed.errors?.map(String));

/** The router passes the access token on. */
class WithToken extends RemoteGraphQLDataSource {
  willSendRequest({ request, context }) {
    if (context.token) request.http.headers.set("authorization", `Bearer ${context.token}`);
  }
}
const gateway = new ApolloGateway({ supergraphSdl: composed.supergraphSdl, buildService: ({ url }) => new WithToken({ url }) });
const { executor } = await gateway.load();
/** Sends a request through the gateway. */
const route = (source, token) => {
  const document = parse(source);
  const [operation] = document.definitions;
  const request = { query: source, variables: {}, http: { headers: new Map() } };
  return executor({ document, operation, request, queryHash: source, context: { token }, logger: console, metrics: {} });
};

const ORDERS = "{ orders { id buyer { username orderCount } } }";
const everything = await route(ORDERS, admin.accessToken);
const names = everything.data?.orders.map(({ buyer }) => buyer?.username ?? null);
check("an administrator sees all users of another subgraph's objects", names?.join() === "ada,grace," && !everything.errors, everything);

const own = await route(ORDERS, ada.accessToken);
check("a user sees itself", own.data?.orders[0].buyer?.username === "ada", own);
check("a user sees no others", own.data?.orders.slice(1).every(({ buyer }) => !buyer?.username) && own.errors?.length > 0, own);
check("an error of an entity has its code", own.errors?.some((error) => error.extensions?.code === "FORBIDDEN"), own);

const me = await route("{ me { username orderCount } }", ada.accessToken);
check("another subgraph adds fields to `me`", me.data?.me?.username === "ada" && me.data.me.orderCount === 1 && !me.errors, me);

const renamed = await route('mutation { updateProfile(input: { firstName: "Ada" }) { user { firstName orderCount } } }', ada.accessToken);
check("mutations go through the gateway", renamed.data?.updateProfile?.user.firstName === "Ada", renamed);

await gateway.stop();
await server();
finish(8);
