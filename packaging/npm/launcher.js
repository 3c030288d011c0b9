#!/usr/bin/env node
// Runs the tun-mcp binary for this platform. Each platform's binary is in a
// package of its own, an optional dependency of this one, and npm installs the
// one that fits. The installation downloads nothing else and runs no script.
"use strict";

const { spawn } = require("node:child_process");

const platform = `${process.platform}-${process.arch}`;
const file = process.platform === "win32" ? "tun-mcp.exe" : "tun-mcp";

let binary;
try {
  binary = require.resolve(`@tun-mcp/${platform}/bin/${file}`);
} catch {
  const built = Object.keys(require("./package.json").optionalDependencies).map((name) => name.split("/")[1]);
  console.error(
    built.includes(platform)
      ? `tun-mcp: the package @tun-mcp/${platform} is missing: install again without --omit=optional`
      : `tun-mcp: there is no binary for ${platform}, only for ${built.join(", ")}. With Go, build one: go install github.com/tun-mcp/tun-mcp@latest`,
  );
  process.exit(1);
}

const child = spawn(binary, process.argv.slice(2), { stdio: "inherit" });

// Ctrl-C in a terminal reaches the binary directly, and a second signal would
// end it at once. An MCP client sends signals only to this process.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  });
}
child.on("error", (err) => {
  console.error(`tun-mcp: starting ${binary}: ${err.message}`);
  process.exit(1);
});
child.on("exit", (status, signal) => {
  if (!signal) process.exit(status);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
