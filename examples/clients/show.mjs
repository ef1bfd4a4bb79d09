// What a customer sees, in Node: node show.mjs ORIGIN EMAIL, with the password in ADOLOGY_PASSWORD.
// Node 20 needs --experimental-websocket.
import { Adology } from "./adology.mjs";

const [origin, email] = process.argv.slice(2);
const adology = new Adology(origin);
await adology.logIn(email, process.env.ADOLOGY_PASSWORD ?? "");

const { user, organisation } = await adology.get("/v1/me");
console.log(`${user.email} (${user.role}) of ${organisation.name}`);

for await (const space of adology.pages("/v1/brandspaces")) {
  console.log(`${space.name}: ${space.brands.map(({ brand, role }) => `${brand} (${role})`).join(", ")}`);
}

const ads = [];
for await (const ad of adology.pages("/v1/ads", { sort: "newest", limit: 3 })) ads.push(ad);
for (const ad of ads.slice(0, 5)) console.log(`${ad.brand}  ${ad.status}  ${ad.title || ad.body}`);
console.log(`${ads.length} ads`);

if (ads.length) {
  const { items } = await adology.get(`/v1/ads/${ads[0].id}/similar`, { limit: 3, everywhere: true });
  for (const item of items) console.log(`${item.similarity.toFixed(3)}  ${item.how}  ad ${item.ads[0].ad_id}`);
}

const brand = process.argv[4];
if (brand) {
  let requestId;
  for await (const event of adology.events()) {
    if (event.type === "hello" && !requestId) {
      ({ request_id: requestId } = await adology.post(`/v1/brands/${brand}/refresh`));
    } else if (event.request_id === requestId) {
      console.log(`${brand}: ${event.status}`);
      if (["completed", "failed", "cancelled", "expired"].includes(event.status)) break;
    }
  }
}
