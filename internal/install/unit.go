package install

import (
	"fmt"
	"strings"

	"github.com/tekpossible/ha-devops/internal/bake/manifest"
	"github.com/tekpossible/ha-devops/internal/relayfile"
)

// Unit returns the systemd unit of the software. Its paths are those of the machine that boots from the image, whatever
// DESTDIR is now. Without a start command relay itself answers, so that such an environment is healthy and proves its release.
func Unit(m manifest.Manifest, file relayfile.File) string {
	at := PathsOf("", m.Product)
	start := at.Binary + " serve --product " + m.Product
	if file.Start != "" {
		start = "/bin/sh -c " + quote(file.Start)
	}
	return fmt.Sprintf(`# Written by relay install; the image repository's setup script may add drop-ins.
[Unit]
Description=%s %s
Wants=network-online.target
After=network-online.target

[Service]
WorkingDirectory=%s
EnvironmentFile=-%s
Environment=PORT=%d
Environment=RELEASE=%s
ExecStart=%s
Restart=always
RestartSec=2
DynamicUser=yes

[Install]
WantedBy=multi-user.target
`, m.Product, m.Release.ArtifactTag, at.Software, at.Environment, file.Port, m.Release.ArtifactTag, start)
}

// quote writes a command as one word of ExecStart: quotes and backslashes as systemd.syntax(7) unquotes them, % and $ doubled
// so that systemd leaves specifiers and variables to the shell (systemd.service(5), "Command lines").
func quote(command string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, `%`, `%%`, `$`, `$$`).Replace(command) + "'"
}
