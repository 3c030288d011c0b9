// Makes the packages of a release from finished binaries:
//
//   node packaging/build.mjs npm  VERSION BINARIES OUT   one npm package a platform, and tun-mcp itself
//   node packaging/build.mjs mcpb VERSION BINARIES OUT   one folder a platform, for the tool mcpb to pack
//
// BINARIES contains a folder for each platform, with Go's name for it (linux_amd64) and the binary inside.
// Platforms without a folder are skipped. docs/release.md says how the packages are made and tried.
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const top = dirname(here);
const [kind, version, binaries, out] = process.argv.slice(2);
if (!["npm", "mcpb"].includes(kind) || !/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(version ?? "") || !binaries || !out) {
  console.error("usage: node packaging/build.mjs npm|mcpb VERSION BINARIES OUT, VERSION like 1.2.3");
  process.exit(2);
}

const server = JSON.parse(readFileSync(join(top, "server.json"), "utf8"));
const about = {
  version,
  description: server.description,
  license: "MIT",
  homepage: server.repository.url,
  repository: { type: "git", url: `git+${server.repository.url}.git` },
};

// Go's and Node's names of the platforms.
const platforms = [];
for (const [goos, os] of Object.entries({ linux: "linux", darwin: "darwin", windows: "win32" })) {
  for (const [goarch, cpu] of Object.entries({ amd64: "x64", arm64: "arm64" })) {
    const file = os === "win32" ? "tun-mcp.exe" : "tun-mcp";
    const binary = join(binaries, `${goos}_${goarch}`, file);
    platforms.push({ goos, goarch, os, cpu, file, binary, built: existsSync(binary) });
  }
}
const built = platforms.filter((p) => p.built);
if (built.length === 0) {
  console.error(`${binaries} has no binary; expected for instance linux_amd64/tun-mcp`);
  process.exit(1);
}

function place(folder, from, name, mode) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  copyFileSync(from, join(folder, name));
  if (mode) chmodSync(join(folder, name), mode);
}

function writeJSON(folder, name, value) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), JSON.stringify(value, null, 2) + "\n");
}

mkdirSync(out, { recursive: true });

if (kind === "npm") {
  const pack = (folder) => console.log(execFileSync("npm", ["pack", "--silent", "--pack-destination", resolve(out)], { cwd: folder, encoding: "utf8" }).trim());
  for (const p of built) {
    const folder = join(out, `${p.os}-${p.cpu}`);
    place(folder, p.binary, `bin/${p.file}`, 0o755);
    place(folder, join(top, "LICENSE"), "LICENSE");
    writeJSON(folder, "package.json", { name: `@tun-mcp/${p.os}-${p.cpu}`, ...about, os: [p.os], cpu: [p.cpu], files: ["bin"], preferUnplugged: true });
    pack(folder);
    rmSync(folder, { recursive: true });
  }
  const folder = join(out, "tun-mcp");
  place(folder, join(here, "npm", "launcher.js"), "launcher.js", 0o755);
  place(folder, join(top, "LICENSE"), "LICENSE");
  place(folder, join(top, "README.md"), "README.md");
  writeJSON(folder, "package.json", {
    name: "tun-mcp",
    ...about,
    mcpName: server.name,
    keywords: ["mcp", "mcp-server", "tun", "tcp-ip", "packets", "agent"],
    bin: { "tun-mcp": "launcher.js" },
    files: ["launcher.js"],
    engines: { node: ">=18" },
    // All platforms, even those not built here: every platform gets this same package.
    optionalDependencies: Object.fromEntries(platforms.map((p) => [`@tun-mcp/${p.os}-${p.cpu}`, version])),
  });
  pack(folder);
  rmSync(folder, { recursive: true });
} else {
  const manifest = JSON.parse(readFileSync(join(here, "mcpb", "manifest.json"), "utf8"));
  for (const p of built) {
    const folder = join(out, `${p.goos}_${p.goarch}`);
    place(folder, p.binary, `server/${p.file}`, 0o755);
    place(folder, join(top, "LICENSE"), "LICENSE");
    manifest.version = version;
    manifest.description = server.description;
    manifest.server.entry_point = `server/${p.file}`;
    manifest.server.mcp_config.command = "${__dirname}/server/" + p.file;
    manifest.compatibility.platforms = [p.os];
    writeJSON(folder, "manifest.json", manifest);
    console.log(folder);
  }
}
