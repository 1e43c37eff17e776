package policy.plain_http

import data.lib

rule := {
	"id": "plain-http",
	"title": "Outside of development, listeners speak TLS 1.2 or newer",
	"severity": "error",
	"why": "What goes over plain HTTP, or under a broken version of TLS, can be read and changed on its way.",
	"fix": "Let the listener speak HTTPS with a current security policy; over HTTP it may only redirect.",
}

findings contains lib.finding(r, message) if {
	input.environment != "dev"
	some r in lib.made(lib.listeners)
	not object.get(r.after, "protocol", "HTTP") in {"HTTPS", "TLS"}
	some i, action in lib.list(r.after, ["defaultActions"])
	lib.get(action, "type", lib.unknown) != "redirect"
	message := sprintf("protocol is %s and defaultActions[%d] is no redirect", [lib.shown(r.after, ["protocol"]), i])
}

# A policy's name says the oldest version that it speaks; those that say none speak TLS 1.0 (Application Load Balancers User Guide,
# "Security policies").
findings contains lib.finding(r, message) if {
	input.environment != "dev"
	some r in lib.made(lib.listeners)
	object.get(r.after, "protocol", "HTTP") in {"HTTPS", "TLS"}
	not regex.match(`^ELBSecurityPolicy-(TLS13-1-[23]-|TLS-1-2-|FS-1-2-)`, sprintf("%v", [object.get(r.after, "sslPolicy", "")]))
	message := sprintf("sslPolicy is %s; expected one that starts at TLS 1.2", [lib.shown(r.after, ["sslPolicy"])])
}
