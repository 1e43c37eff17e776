package awssim

import (
	"fmt"
	"os"
	"strings"
)

// standIns are the commands that a bake would use to change the machine it runs on. In a rehearsal that machine is a
// person's own, so that they only say what they were asked.
var standIns = strings.Fields(`dnf yum apt-get apt systemctl useradd groupadd usermod chown sysctl modprobe hostnamectl reboot
	shutdown rpm dpkg apk zypper setenforce semanage firewall-cmd`)

const standIn = `#!/bin/sh
printf '%s\n' "rehearsal: not run: ${0##*/} $*"
`

// sudo would put the machine's own commands before the stand-ins again, so that it has one too. It runs what it is given, as
// that finds the stand-ins; with options it is another's turn to say what it was asked.
const standInSudo = `#!/bin/sh
case $1 in
-* | '') printf '%s\n' "rehearsal: not run: sudo $*" ;;
*) exec "$@" ;;
esac
`

// installStandIns writes the stand-ins to a folder of their own, once, and returns it.
func (a *Account) installStandIns() (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	dir := a.dir("bin")
	if a.standInsInstalled {
		return dir, nil
	}
	err := writeExecutable(func() error {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		for _, name := range standIns {
			if err := os.WriteFile(a.dir("bin", name), []byte(standIn), 0o755); err != nil {
				return err
			}
		}
		return os.WriteFile(a.dir("bin", "sudo"), []byte(standInSudo), 0o755)
	})
	if err != nil {
		return "", fmt.Errorf("writing the stand-ins of machine-changing commands: %w", err)
	}
	a.standInsInstalled = true
	return dir, nil
}
