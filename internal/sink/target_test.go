package sink

import (
	"strings"
	"testing"
)

func TestTargets(t *testing.T) {
	for spec, want := range map[string]string{
		"stdout":                                   "stdout",
		"file:/var/log/a.log":                      "file:/var/log/a.log",
		"file:///var/log/../a.log":                 "file:/var/a.log",
		"syslog+udp://10.0.0.1:514":                "syslog+udp://10.0.0.1:514",
		"syslog+tcp://[::1]:601/?facility=local7":  "syslog+tcp://[::1]:601",
		"syslog+tls://logs.example:6514?app=edge":  "syslog+tls://logs.example:6514",
		"https://u:secret@h.example/p/token?k=key": "https://h.example",
		"https://h.example:8443":                   "https://h.example:8443",
		"http://localhost:9000/x":                  "http://localhost:9000",
		"http://[::1]/":                            "http://[::1]",
	} {
		if got := parse(t, spec).String(); got != want {
			t.Errorf("%s: got %s, want %s", spec, got, want)
		}
	}
	if got := (Target{}).String(); got != "nowhere" {
		t.Errorf("the zero target is %s", got)
	}
	if got := parse(t, "syslog+udp://h:1?facility=mail&app=x"); got.facility != 2 || got.app != "x" {
		t.Errorf("got %+v", got)
	}
}

func TestTargetErrors(t *testing.T) {
	for spec, want := range map[string]string{
		"":                                  `unknown kind of sink ""; there are stdout, file, syslog+udp, syslog+tcp, syslog+tls and https`,
		"journald":                          `unknown kind of sink "journald"`,
		"stdout:x":                          "stdout stands alone",
		"file:access.log":                   `file: "access.log" is not an absolute path`,
		"file:":                             `file: "" is not an absolute path`,
		"file:/var/log/":                    `file: "/var/log/" cannot be a file`,
		"file:/a\x00b":                      `cannot be a file`,
		"syslog+udp://host":                 `syslog: "host" is not a host and a port`,
		"syslog+udp://:514":                 `syslog: ":514" is not a host and a port`,
		"syslog+tls://4::1]:6":              `syslog: "4::1]:6" is not a host and a port`,
		"syslog+tls://a..b:6":               `syslog: "a..b:6" is not a host and a port`,
		"https://a b/":                      `webhook: not a valid URL`,
		"syslog+udp://h:0":                  `syslog: "h:0" is not a host and a port`,
		"syslog+udp://h:70000":              `syslog: "h:70000" is not a host and a port`,
		"syslog+udp:h:514":                  `syslog: only a host, a port and parameters are expected`,
		"syslog+tcp://u@h:1":                `syslog: only a host, a port and parameters are expected`,
		"syslog+tcp://h:1/x":                `syslog: only a host, a port and parameters are expected`,
		"syslog+tcp://h:x":                  `syslog: not a valid URL`,
		"syslog+tcp://h:1?a=%zz":            `syslog: the parameters cannot be read`,
		"syslog+tcp://h:1?facility=":        `syslog: unknown facility ""; there are kern, user,`,
		"syslog+tcp://h:1?facility=local8":  `syslog: unknown facility "local8"`,
		"syslog+tcp://h:1?app=":             `syslog: app "" is not 1 to 48 printable characters`,
		"syslog+tcp://h:1?app=a+b":          `syslog: app "a b" is not 1 to 48 printable characters`,
		"syslog+tcp://h:1?app=a&app=b":      `syslog: parameter "app" is given twice`,
		"syslog+tcp://h:1?ca=/x":            `syslog: unknown parameter "ca"`,
		"syslog+tls://h:1?cert=/x":          `syslog: cert and key belong together`,
		"https:///path":                     `webhook: not a valid URL`,
		"https://user:secret@h:x/":          `webhook: not a valid URL`,
		"https://h:0/":                      `webhook: not a valid port`,
		"https://h/#secret":                 `webhook: a fragment is never sent`,
		"http://logs.example/secret":        `webhook: http:// would send the log in clear; use https://`,
		strings.Repeat("x", 100) + "secret": `unknown kind of sink "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."`,
	} {
		_, err := Parse(spec)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q\ngot  %v\nwant %s", spec, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"stdout", "file:/x", "syslog+udp://h:1?facility=mail&app=x", "syslog+tls://[::1]:6514?ca=/a&cert=/b&key=/c",
		"https://u:p@h/x?y#z", "http://127.0.0.1:1", ":", "syslog+tcp://h:1?app=%00",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		target, err := Parse(s)
		if err != nil {
			return
		}
		again, err := Parse(target.String())
		if err != nil || again.String() != target.String() {
			t.Errorf("%q is %s, which is %s, %v", s, target, again, err)
		}
		if target.kind == kindUDP || target.kind == kindTCP || target.kind == kindTLS {
			frame := newSyslogFrames(target, "host", false).append(nil, nil)
			if strings.Count(string(frame), " ") != 7 {
				t.Errorf("%q makes the header %q", s, frame)
			}
		}
	})
}
