// What happens, by the client of examples/clients: node follow.mjs ORIGIN EMAIL, with the password in ADOLOGY_PASSWORD.
// One line of JSON for each message; {"ended":"…"} where the client gives up.
import { Adology } from "../../../examples/clients/adology.mjs";

const [origin, email, options = "{}"] = process.argv.slice(2);
const adology = new Adology(origin);
await adology.logIn(email, process.env.ADOLOGY_PASSWORD ?? "");
try {
  for await (const event of adology.events(JSON.parse(options))) console.log(JSON.stringify({ heard: event }));
} catch (error) {
  console.log(JSON.stringify({ ended: error.kind ?? String(error) }));
}
