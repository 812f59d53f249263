package sink

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

type kind uint8

const (
	kindNone kind = iota
	kindStdout
	kindFile
	kindUDP
	kindTCP
	kindTLS
	kindWebhook
)

// Target is where lines go, as Parse understood it. The zero Target is nowhere.
type Target struct {
	kind kind
	path string // of a file

	// Of a collector.
	address       string // host and port
	facility      int
	app           string
	ca, cert, key string // files; empty: the system's authorities, no certificate

	url *url.URL // of a webhook; may hold secrets
}

// What syslog messages say where the target does not.
const (
	defaultFacility = "local0"
	defaultApp      = "rescind"
)

// Parse reads a target:
//
//	stdout
//	file:/path                        appended to, created with mode 0640
//	syslog+udp://host:port            RFC 5424 in RFC 5426 datagrams
//	syslog+tcp://host:port            the same, octet-counted (RFC 6587)
//	syslog+tls://host:port            the same over TLS (RFC 5425)
//	https://host/path                 POST requests with newline-delimited JSON
//	http://localhost/path             the same, to this machine only
//
// Syslog targets take ?facility= (local0 unless given) and ?app= (rescind);
// over TLS also ?ca= (a file of authorities to trust instead of the system's),
// ?cert= and ?key= (files, for collectors that ask who is there). A name and a
// password in a webhook's URL are sent as Basic credentials.
//
// Errors do not repeat what may be secret.
func Parse(spec string) (Target, error) {
	scheme, rest, found := strings.Cut(spec, ":")
	switch scheme {
	case "stdout":
		if found {
			return Target{}, errors.New("stdout stands alone")
		}
		return Target{kind: kindStdout}, nil
	case "file":
		return parseFile(rest)
	case "syslog+udp":
		return parseSyslog(spec, kindUDP)
	case "syslog+tcp":
		return parseSyslog(spec, kindTCP)
	case "syslog+tls":
		return parseSyslog(spec, kindTLS)
	case "https", "http":
		return parseWebhook(spec)
	}
	return Target{}, fmt.Errorf("unknown kind of sink %q; there are stdout, file, syslog+udp, syslog+tcp, syslog+tls and https", clip(scheme))
}

// clip keeps a mistake recognisable and an error short.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}

func parseFile(path string) (Target, error) {
	if local, ok := strings.CutPrefix(path, "//"); ok {
		path = local // file:///path, which has an empty host
	}
	if !filepath.IsAbs(path) {
		return Target{}, fmt.Errorf("file: %q is not an absolute path", path)
	}
	if strings.IndexByte(path, 0) >= 0 || strings.HasSuffix(path, "/") {
		return Target{}, fmt.Errorf("file: %q cannot be a file", path)
	}
	return Target{kind: kindFile, path: filepath.Clean(path)}, nil
}

func parseSyslog(spec string, k kind) (Target, error) {
	u, err := url.Parse(spec)
	if err != nil {
		return Target{}, errors.New("syslog: not a valid URL")
	}
	switch {
	case u.User != nil || u.Path != "" && u.Path != "/" || u.Fragment != "" || u.Opaque != "":
		return Target{}, errors.New("syslog: only a host, a port and parameters are expected, as in syslog+udp://host:514?facility=local0")
	case !validHost(u.Hostname()) || !validPort(u.Port()):
		return Target{}, fmt.Errorf("syslog: %q is not a host and a port", u.Host)
	}
	t := Target{kind: k, address: net.JoinHostPort(u.Hostname(), u.Port())}
	return t, t.readParameters(u.RawQuery)
}

// validHost takes names and addresses. Package url lets brackets and more pass.
func validHost(s string) bool {
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Zone() == ""
	}
	for _, label := range strings.Split(s, ".") {
		if label == "" || strings.ContainsFunc(label, notInName) {
			return false
		}
	}
	return true
}

func notInName(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
}

func validPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

func (t *Target) readParameters(raw string) error {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return errors.New("syslog: the parameters cannot be read")
	}
	facility := defaultFacility
	t.app = defaultApp
	known := map[string]*string{"facility": &facility, "app": &t.app}
	if t.kind == kindTLS {
		known["ca"], known["cert"], known["key"] = &t.ca, &t.cert, &t.key
	}
	for name, all := range values {
		to, ok := known[name]
		if !ok {
			return fmt.Errorf("syslog: unknown parameter %q", clip(name))
		}
		if len(all) > 1 {
			return fmt.Errorf("syslog: parameter %q is given twice", name)
		}
		*to = all[0]
	}
	if t.facility, err = facilityOf(facility); err != nil {
		return err
	}
	// RFC 5424 section 6: 48 printable bytes.
	if t.app == "" || printable(t.app, 48) != t.app {
		return fmt.Errorf("syslog: app %q is not 1 to 48 printable characters without spaces", clip(t.app))
	}
	if (t.cert == "") != (t.key == "") {
		return errors.New("syslog: cert and key belong together")
	}
	return nil
}

// facilities have the codes of RFC 5424 section 6.2.1. Its 12 to 15 have no
// names in common use.
var facilities = []string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "", "", "", "",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}

func facilityOf(name string) (int, error) {
	for code, known := range facilities {
		if known == name && name != "" {
			return code, nil
		}
	}
	return 0, fmt.Errorf("syslog: unknown facility %q; there are %s", clip(name), strings.Join(strings.Fields(strings.Join(facilities, " ")), ", "))
}

func parseWebhook(spec string) (Target, error) {
	u, err := url.Parse(spec)
	switch {
	case err != nil || !validHost(u.Hostname()) || u.Opaque != "":
		return Target{}, errors.New("webhook: not a valid URL")
	case u.Port() != "" && !validPort(u.Port()):
		return Target{}, errors.New("webhook: not a valid port")
	case u.Fragment != "":
		return Target{}, errors.New("webhook: a fragment is never sent")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return Target{}, errors.New("webhook: http:// would send the log in clear; use https://, or a collector on this machine")
	}
	return Target{kind: kindWebhook, url: u}, nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// String names the target without what may be secret: credentials, paths and
// parameters of webhooks.
func (t Target) String() string {
	switch t.kind {
	case kindStdout:
		return "stdout"
	case kindFile:
		return "file:" + t.path
	case kindUDP:
		return "syslog+udp://" + t.address
	case kindTCP:
		return "syslog+tcp://" + t.address
	case kindTLS:
		return "syslog+tls://" + t.address
	case kindWebhook:
		return t.url.Scheme + "://" + t.url.Host
	}
	return "nowhere"
}
