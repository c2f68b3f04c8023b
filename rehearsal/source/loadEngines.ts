import type { BaoSession } from "./baoSession";
import { canaryText, KV2_MOUNT, NAMESPACES } from "./content";
import { randomStream } from "./randomStream";

/** KV v2 entry that keeps what can only be checked later with the server's help: ciphertexts, tokens, the CA. */
export const WITNESS_PATH = "rehearsal/witness";

/** What must still hold after the move, as stored at WITNESS_PATH. */
export interface Witness {
  /** Plaintexts (base64) and ciphertexts of transit, by key name. */
  readonly transit: readonly { key: string; plaintext: string; ciphertext: string }[];
  /** Tokens that must still be valid, by what they are. */
  readonly tokens: Readonly<Record<string, string>>;
  readonly userpass: { readonly username: string; readonly password: string };
  readonly approle: { readonly role_id: string; readonly secret_id: string };
  /** Serial number of a certificate that the CA issued. */
  readonly serial: string;
  readonly ca: string;
}

const USERS = 6;
const TRANSIT_KEYS = ["aes256-gcm96", "chacha20-poly1305", "rsa-2048"] as const;

/**
 * Policies, auth methods, transit, pki, identity, leases and tokens, and the witness entry.
 * @param inPod false for a server outside a pod, which has no service account to give Kubernetes auth its CA. @default true
 */
export async function loadEngines(root: BaoSession, seed: string, inPod = true): Promise<void> {
  await loadPolicies(root);
  const { userpass, accessor } = await loadUserpass(root, seed);
  const approle = await loadApprole(root);
  const transit = await loadTransit(root, seed);
  const pki = await loadPki(root);
  await loadKubernetesAuth(root, inPod ? {} : { disable_local_ca_jwt: true, kubernetes_ca_cert: pki.ca });
  await loadIdentity(root, accessor);
  const tokens = await loadTokens(root, userpass, approle);
  await loadNamespaceParts(root, seed);
  const witness: Witness = { transit, tokens, userpass, approle, ...pki };
  await root.call("POST", `${KV2_MOUNT}/data/${WITNESS_PATH}`, { data: witness });
}

async function loadPolicies(root: BaoSession): Promise<void> {
  for (let team = 0; team < 8; team++) {
    const rules = ["data", "metadata"].map(
      (part) => `path "${KV2_MOUNT}/${part}/team-${team}/*" { capabilities = ["read", "list"] }`,
    );
    await root.call("PUT", `sys/policies/acl/team-${team}`, { policy: rules.join("\n") + "\n" });
  }
  await root.call("PUT", "sys/policies/acl/with%20comment", {
    policy: '# kept as written: "ünïcode"\npath "kv1/+/app-1/*" {\n  capabilities = ["deny"]\n}\n',
  });
}

async function loadUserpass(root: BaoSession, seed: string) {
  await root.call("POST", "sys/auth/userpass", { type: "userpass", description: "people" });
  const random = randomStream("openbao-rehearsal", seed, "userpass");
  const users = Array.from({ length: USERS }, (_, at) => ({
    username: `user-${at}`,
    password: canaryText(random, "password", 40),
  }));
  for (const [at, { username, password }] of users.entries()) {
    await root.call("POST", `auth/userpass/users/${username}`, {
      password,
      token_policies: [`team-${at}`],
      token_ttl: "24h",
      token_max_ttl: "72h",
    });
  }
  const mounts = await root.call("GET", "sys/auth");
  const accessor = (mounts["userpass/"] as { accessor: string }).accessor;
  return { userpass: users[0]!, accessor };
}

async function loadApprole(root: BaoSession) {
  await root.call("POST", "sys/auth/approle", { type: "approle" });
  for (const role of ["ci", "batch"]) {
    await root.call("POST", `auth/approle/role/${role}`, {
      token_policies: ["team-1"],
      token_type: role === "batch" ? "batch" : "service",
      token_ttl: "1h",
      secret_id_num_uses: 0,
    });
  }
  const role = await root.call("GET", "auth/approle/role/ci/role-id");
  const secret = await root.call("POST", "auth/approle/role/ci/secret-id", {});
  await root.call("POST", "auth/approle/role/batch/secret-id", { metadata: '{"for":"batch"}' });
  return { role_id: role["role_id"] as string, secret_id: secret["secret_id"] as string };
}

async function loadKubernetesAuth(root: BaoSession, more: object): Promise<void> {
  await root.call("POST", "sys/auth/kubernetes", { type: "kubernetes" });
  const config = { kubernetes_host: "https://kubernetes.default.svc", ...more };
  await root.call("POST", "auth/kubernetes/config", config);
  for (const role of ["external-secrets", "vault-config"]) {
    await root.call("POST", `auth/kubernetes/role/${role}`, {
      bound_service_account_names: [role],
      bound_service_account_namespaces: [role],
      token_policies: ["team-2"],
      token_ttl: "20m",
    });
  }
}

async function loadTransit(root: BaoSession, seed: string): Promise<Witness["transit"]> {
  await root.call("POST", "sys/mounts/transit", { type: "transit" });
  const random = randomStream("openbao-rehearsal", seed, "transit");
  const kept: { key: string; plaintext: string; ciphertext: string }[] = [];
  const encrypt = async (key: string) => {
    const plaintext = Buffer.from(canaryText(random, "transit", 48)).toString("base64");
    const answer = await root.call("POST", `transit/encrypt/${key}`, { plaintext });
    kept.push({ key, plaintext, ciphertext: answer["ciphertext"] as string });
  };
  for (const type of TRANSIT_KEYS) {
    const key = `key-${type}`;
    await root.call("POST", `transit/keys/${key}`, { type });
    await encrypt(key);
    // Ciphertexts of an old key version must stay readable, too.
    await root.call("POST", `transit/keys/${key}/rotate`, {});
    await encrypt(key);
  }
  await root.call("POST", "transit/keys/signing", { type: "ed25519" });
  return kept;
}

async function loadPki(root: BaoSession): Promise<{ serial: string; ca: string }> {
  await root.call("POST", "sys/mounts/pki", { type: "pki", config: { max_lease_ttl: "8760h" } });
  const ca = await root.call("POST", "pki/root/generate/internal", {
    common_name: "rehearsal root",
    ttl: "8760h",
    key_type: "ec",
  });
  await root.call("POST", "pki/roles/server", {
    allowed_domains: ["rehearsal.example"],
    allow_subdomains: true,
    key_type: "ec",
    key_bits: 256,
    max_ttl: "720h",
    generate_lease: true,
  });
  // generate_lease: these are the live leases.
  const issued = await root.call("POST", "pki/issue/server", {
    common_name: "one.rehearsal.example",
    ttl: "240h",
  });
  const revoked = await root.call("POST", "pki/issue/server", {
    common_name: "two.rehearsal.example",
    ttl: "240h",
  });
  await root.call("POST", "pki/revoke", { serial_number: revoked["serial_number"] });
  return { serial: issued["serial_number"] as string, ca: ca["certificate"] as string };
}

async function loadIdentity(root: BaoSession, userpassAccessor: string): Promise<void> {
  const entities: string[] = [];
  for (let at = 0; at < 4; at++) {
    const entity = await root.call("POST", "identity/entity", {
      name: `person-${at}`,
      metadata: { team: `team-${at}`, note: "ünïcode = ok" },
      policies: [`team-${at}`],
    });
    const id = entity["id"] as string;
    entities.push(id);
    await root.call("POST", "identity/entity-alias", {
      name: `user-${at}`,
      canonical_id: id,
      mount_accessor: userpassAccessor,
    });
  }
  const group = await root.call("POST", "identity/group", {
    name: "staff",
    member_entity_ids: entities,
    policies: ["team-5"],
  });
  await root.call("POST", "identity/group", { name: "everyone", member_group_ids: [group["id"]] });
  const external = await root.call("POST", "identity/group", { name: "outside", type: "external" });
  await root.call("POST", "identity/group-alias", {
    name: "outside-of-userpass",
    mount_accessor: userpassAccessor,
    canonical_id: external["id"],
  });
}

async function loadTokens(
  root: BaoSession,
  userpass: Witness["userpass"],
  approle: Witness["approle"],
): Promise<Record<string, string>> {
  const made = async (path: string, body: object): Promise<string> => {
    const answer = await root.reply("POST", path, body);
    return (answer.body as { auth: { client_token: string } }).auth.client_token;
  };
  const tokens = {
    service: await made("auth/token/create", { policies: ["team-3"], ttl: "48h", no_default_policy: true }),
    orphan: await made("auth/token/create-orphan", { policies: ["team-4"], ttl: "48h" }),
    periodic: await made("auth/token/create", { policies: ["team-5"], period: "48h" }),
    batch: await made("auth/token/create", { policies: ["team-6"], ttl: "48h", type: "batch" }),
    userpass: await made(`auth/userpass/login/${userpass.username}`, { password: userpass.password }),
    approle: await made("auth/approle/login", approle),
  };
  // A token's own store is content, too.
  await root.call("POST", "cubbyhole/note", { of: "the root token" });
  return tokens;
}

async function loadNamespaceParts(root: BaoSession, seed: string): Promise<void> {
  for (const namespace of NAMESPACES) {
    const inside = root.inNamespace(namespace);
    const random = randomStream("openbao-rehearsal", seed, "namespace", namespace);
    await inside.call("PUT", "sys/policies/acl/reader", {
      policy: `path "${KV2_MOUNT}/data/*" { capabilities = ["read"] }\n`,
    });
    await inside.call("POST", "sys/auth/userpass", { type: "userpass" });
    await inside.call("POST", "auth/userpass/users/inside", {
      password: canaryText(random, "password", 40),
      token_policies: ["reader"],
    });
    await inside.call("POST", "identity/entity", { name: "inside", policies: ["reader"] });
    await inside.call("POST", "sys/mounts/transit", { type: "transit" });
    await inside.call("POST", "transit/keys/inside", {});
  }
}
