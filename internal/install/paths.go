package install

import "path/filepath"

// Paths are the places of a product on a machine.
type Paths struct {
	// Home is the product's own folder, which holds the next three.
	Home string
	// Binary is the relay binary. The image's component puts it there, before relay runs.
	Binary string
	// Software is the folder of the unpacked artifact, Image that of the image repository's content.
	Software, Image string
	// Release is the file that says what the machine runs.
	Release string
	// Environment is the file in which the image repository may set variables of the service; it need not exist.
	Environment string
	// Unit is the systemd unit's file.
	Unit string
}

// PathsOf returns a product's places below destDir, which is empty on a real machine.
func PathsOf(destDir, product string) Paths {
	at := func(path string) string { return filepath.Join(destDir+"/", path) }
	home := "/opt/" + product
	return Paths{
		Home: at(home), Binary: at(home + "/bin/relay"), Software: at(home + "/software"), Image: at(home + "/image"),
		Release: at("/etc/" + product + "/release.json"), Environment: at("/etc/" + product + "/environment"),
		Unit: at("/etc/systemd/system/" + product + ".service"),
	}
}
