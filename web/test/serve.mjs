// A server with made-up data, to look at the page: node test/serve.mjs [PORT]
import { fileURLToPath } from "node:url";
import { load } from "./bundle.mjs";

const { start } = await load("mock.ts");
const server = await start(fileURLToPath(new URL("../dist", import.meta.url)), {}, Number(process.argv[2] ?? 8127));
console.log(server.url);
