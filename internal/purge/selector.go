package purge

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// Kind is the way in which a selector names objects.
type Kind uint8

const (
	ByURL    Kind = iota + 1 // one resource: all its variants, any spelling of its query
	ByKey                    // all that carry a surrogate key
	ByPath                   // a path and all below it, segment by segment, any query
	ByHost                   // all of one host
	ByAll                    // all of the service
	ByHeader                 // all whose response has a header field that matches
	ByBan                    // all for which the conditions of a ban hold
)

func (k Kind) String() string {
	switch k {
	case ByURL:
		return "url"
	case ByKey:
		return "key"
	case ByPath:
		return "path"
	case ByHost:
		return "host"
	case ByAll:
		return "all"
	case ByHeader:
		return "header"
	case ByBan:
		return "ban"
	}
	return "unknown"
}

// HasTag tells whether objects carry a tag for what a selector of the kind
// names. Those of the other kinds are tested against a Predicate.
func (k Kind) HasTag() bool { return k != ByHeader && k != ByBan }

// MaxKeyBytes is the longest surrogate key: a longer one is ignored in a
// response, so no object can carry it and purging it would promise nothing.
const MaxKeyBytes = 1024

// MaxKeys is the most surrogate keys in one purge, the limit of the API whose
// clients split their calls at it.
const MaxKeys = 256

// Selector names the objects of a service that a purge withdraws. Build it by
// one of the functions below, which validate.
type Selector struct {
	Kind   Kind
	Target field.Target // ByURL, and host and path of ByPath (empty host: any host), ByHost
	Key    string       // ByKey

	Header HeaderMatch // ByHeader
	Ban    string      // ByBan: as ParseBan reads it

	// Scope is how Target bounds a selector ByHeader or ByBan: ByURL, ByPath or
	// ByHost; 0: it is about the whole service.
	Scope Kind
}

// ErrBadSelector is wrapped by every error about a selector.
var ErrBadSelector = errors.New("bad selector")

func badSelector(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrBadSelector, fmt.Sprintf(format, args...))
}

// URL selects one resource. raw is absolute ("https://host/path": that scheme
// only), protocol-relative ("//host/path": both schemes) or bare ("host/path":
// both schemes). A fragment is ignored, as no request carries one.
func URL(raw string) (Selector, error) {
	t, err := ParseTarget(raw)
	if err != nil {
		return Selector{}, err
	}
	if strings.HasSuffix(t.Path, "*") {
		return Selector{}, noWildcard(raw)
	}
	return Selector{Kind: ByURL, Target: t}, nil
}

// Key selects by surrogate key: 1 to MaxKeyBytes bytes without control
// characters, case-sensitive. A key with a space in it is accepted, although a
// header that separates keys by spaces cannot carry it: other headers can.
func Key(key string) (Selector, error) {
	switch {
	case key == "":
		return Selector{}, badSelector("the surrogate key is empty")
	case len(key) > MaxKeyBytes:
		return Selector{}, badSelector("a surrogate key of %d bytes; the limit is %d", len(key), MaxKeyBytes)
	}
	for i := 0; i < len(key); i++ {
		if key[i] < 0x20 || key[i] == 0x7f {
			return Selector{}, badSelector("the surrogate key holds a control character")
		}
	}
	return Selector{Kind: ByKey, Key: key}, nil
}

// Path selects a path and all below it. raw is "/path" (any host of the
// service) or "host/path", "//host/path" or "http://host/path" (the scheme is
// ignored); a query is ignored.
func Path(raw string) (Selector, error) {
	if strings.HasPrefix(raw, "/") && !strings.HasPrefix(raw, "//") {
		path, _, _ := strings.Cut(cutFragment(raw), "?")
		if err := checkRaw(path); err != nil {
			return Selector{}, err
		}
		if strings.HasSuffix(path, "*") {
			return Selector{}, noWildcard(raw)
		}
		return Selector{Kind: ByPath, Target: field.Target{Path: path}}, nil
	}
	t, err := ParseTarget(raw)
	if err != nil {
		return Selector{}, err
	}
	if strings.HasSuffix(t.Path, "*") {
		return Selector{}, noWildcard(raw)
	}
	t.Scheme, t.Query, t.HasQuery = "", "", false
	return Selector{Kind: ByPath, Target: t}, nil
}

// noWildcard refuses what its sender takes for a pattern: accepted, it would
// silently select nothing.
func noWildcard(raw string) error {
	return badSelector("%q ends in a wildcard; purge by path to take everything below, and leave the * out", clip(raw))
}

// Host selects all of a host, whatever the port.
func Host(raw string) (Selector, error) {
	host, ok := field.NormalHost("", raw)
	if !ok {
		return Selector{}, badSelector("%q is not a host name", clip(raw))
	}
	return Selector{Kind: ByHost, Target: field.Target{Host: field.Hostname(host)}}, nil
}

// All selects everything of a service.
func All() Selector { return Selector{Kind: ByAll} }

// Under bounds a selector ByHeader or ByBan to what another one by URL, path
// or host names. A ban that comes to everything then is that other one.
func (s Selector) Under(scope Selector) (Selector, error) {
	if s.Kind == ByAll {
		s = scope
	} else if s.Kind.HasTag() {
		return Selector{}, badSelector("a purge by %s is not bounded by another selector", s.Kind)
	}
	switch scope.Kind {
	case ByURL, ByPath, ByHost, ByAll:
	default:
		return Selector{}, badSelector("a purge by %s cannot be bounded by one by %s", s.Kind, scope.Kind)
	}
	if s.Scope, s.Target = scope.Kind, scope.Target; s.Kind.HasTag() || scope.Kind == ByAll {
		s.Scope = 0
	}
	return s, nil
}

// scope returns the selector that bounds one ByHeader or ByBan.
func (s Selector) scope() Selector {
	if s.Scope == 0 {
		return All()
	}
	return Selector{Kind: s.Scope, Target: s.Target}
}

// String returns what the selector names, for people and logs. Selectors of one
// kind that name different things have different texts.
func (s Selector) String() string {
	switch s.Kind {
	case ByHeader, ByBan:
		text := s.Ban
		if s.Kind == ByHeader {
			text = s.Header.String()
		}
		if s.Scope != 0 {
			text += " under " + s.Scope.String() + " " + s.scope().String()
		}
		return text
	case ByURL:
		return s.Target.String()
	case ByKey:
		return s.Key
	case ByPath:
		if s.Target.Host == "" {
			return s.Target.Path
		}
		return s.Target.Host + s.Target.Path
	case ByHost:
		return s.Target.Host
	}
	return "*"
}

// Tag returns the one tag that the selector's mark is written under. rule is
// the service's treatment of queries. Of a selector ByHeader or ByBan it is the
// tag of what bounds it: everything that it names carries that.
func (s Selector) Tag(h *field.Hasher, service string, rule field.QueryRule) field.Tag {
	switch s.Kind {
	case ByHeader, ByBan:
		return s.scope().Tag(h, service, rule)
	case ByURL:
		return h.URL(service, rule.Apply(s.Target))
	case ByKey:
		return h.Surrogate(service, s.Key)
	case ByPath:
		return pathTag(h, service, s.Target)
	case ByHost:
		return h.Host(service, s.Target.Hostname())
	}
	return h.All(service)
}

// pathTag maps the root of a host to the host, and the root of every host to
// all: objects carry no tag for an empty path.
func pathTag(h *field.Hasher, service string, t field.Target) field.Tag {
	tag, depth := h.Path(service, t.Hostname(), t.Path)
	switch {
	case depth > 0:
		return tag
	case t.Host != "":
		return h.Host(service, t.Hostname())
	}
	return h.All(service)
}

// ParseTarget reads a URL as a purge names it: absolute, protocol-relative or
// without any scheme. Nothing is decoded.
func ParseTarget(raw string) (field.Target, error) {
	rest, scheme := cutFragment(raw), ""
	if i := strings.Index(rest, "://"); i >= 0 && !strings.ContainsAny(rest[:i], "/?") {
		scheme, rest = strings.ToLower(rest[:i]), rest[i+3:]
		if scheme != "http" && scheme != "https" {
			return field.Target{}, badSelector("the scheme of %q is neither http nor https", clip(raw))
		}
	} else {
		rest = strings.TrimPrefix(rest, "//")
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	host, ok := field.NormalHost(scheme, rest[:end])
	if !ok || scheme == "" && rest[:end] == field.Hostname(rest[:end])+":" { // "http:/path" names no host
		return field.Target{}, badSelector("%q names no host; write https://host/path or host/path", clip(raw))
	}
	t := field.Target{Scheme: scheme, Host: host}
	t.Path, t.Query, t.HasQuery = field.SplitRaw(rest[end:])
	if t.Path == "" {
		t.Path = "/"
	}
	return t, checkRaw(t.Raw())
}

// maxTargetBytes bounds a selector; the data plane refuses longer targets
// unless it is configured to take more.
const maxTargetBytes = 64 << 10

func checkRaw(s string) error {
	if len(s) > maxTargetBytes {
		return badSelector("a URL of %d bytes; the limit is %d", len(s), maxTargetBytes)
	}
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] == 0x7f {
			return badSelector("the URL holds a control character")
		}
	}
	return nil
}

func cutFragment(s string) string {
	s, _, _ = strings.Cut(s, "#")
	return s
}

// clip shortens what somebody sent before it goes into an error text.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
