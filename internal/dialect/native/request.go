package native

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/purge"
)

// errContentType is returned for a body that says it is something else than
// JSON.
var errContentType = errors.New("the body must be " + api.ContentType)

func badRequest(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{control.ErrBadRequest}, args...)...)
}

// readPurge reads the body of a purge.
func readPurge(w http.ResponseWriter, r *http.Request) (control.Request, error) {
	p, err := readJSON[api.Purge](w, r)
	if err != nil {
		return control.Request{}, err
	}
	return requestOf(p)
}

// readJSON reads a body that is one JSON object. Without a content type it is
// taken for JSON.
func readJSON[T any](w http.ResponseWriter, r *http.Request) (v T, err error) {
	if sent := r.Header.Get("Content-Type"); sent != "" {
		if kind, _, err := mime.ParseMediaType(sent); err != nil || kind != api.ContentType {
			return v, errContentType
		}
	}
	body, err := dialect.ReadBody(w, r)
	if err != nil {
		return v, err
	}
	return v, parseJSON(body, &v)
}

// parseJSON refuses members that it does not know: a misspelt selector must not
// be left out in silence.
func parseJSON(body []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		if errors.Is(err, io.EOF) {
			return badRequest("the body is empty")
		}
		return badRequest("%s", jsonMistake(err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return badRequest("something follows the JSON object")
	}
	return nil
}

// jsonMistake says what is wrong with a body in the API's words, not in those
// of the types here.
func jsonMistake(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return fmt.Sprintf("%s cannot be a %s", wrong.Field, wrong.Value)
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

func requestOf(p api.Purge) (control.Request, error) {
	named := len(p.URLs) + len(p.Keys) + len(p.Paths) + len(p.Hosts) + len(p.Headers) + len(p.Bans)
	if named > purge.MaxKeys {
		return control.Request{}, fmt.Errorf("%w: %d; the limit is %d", control.ErrTooManyKeys, named, purge.MaxKeys)
	}
	r := control.Request{Service: p.Service, Dialect: name, Note: p.Note}
	var err error
	if r.Effect, err = effectOf(p); err != nil {
		return control.Request{}, err
	}
	r.Selectors, err = selectorsOf(p)
	return r, err
}

func selectorsOf(p api.Purge) ([]purge.Selector, error) {
	var all []purge.Selector
	for _, group := range []struct {
		texts []string
		parse func(string) (purge.Selector, error)
	}{
		{p.URLs, purge.URL}, {p.Keys, purge.Key}, {p.Paths, purge.Path}, {p.Hosts, purge.Host},
	} {
		for _, text := range group.texts {
			s, err := group.parse(text)
			if err != nil {
				return nil, err
			}
			all = append(all, s)
		}
	}
	if p.All {
		all = append(all, purge.All())
	}
	tested, err := testedSelectors(p)
	return append(all, tested...), err
}

// testedSelectors returns the selectors by header and ban.
func testedSelectors(p api.Purge) ([]purge.Selector, error) {
	scope, err := purge.All(), error(nil)
	if p.Under != "" {
		if len(p.Headers)+len(p.Bans) == 0 {
			return nil, badRequest("under goes with headers and bans only")
		}
		if scope, err = purge.Path(p.Under); err != nil {
			return nil, err
		}
	}
	var all []purge.Selector
	add := func(s purge.Selector, err error) error {
		if err == nil {
			s, err = s.Under(scope)
		}
		all = append(all, s)
		return err
	}
	for _, h := range p.Headers {
		if err := add(purge.Header(h.Name, h.Value, h.Separator)); err != nil {
			return nil, err
		}
	}
	for _, ban := range p.Bans {
		if err := add(purge.ParseBan(ban)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func effectOf(p api.Purge) (purge.Effect, error) {
	switch p.Mode {
	case "", api.Hard:
		if p.TTL != nil || p.Grace != nil || p.Keep != nil {
			return purge.Effect{}, badRequest("ttl, grace and keep go with mode %q only", api.Soft)
		}
		return purge.Effect{}, nil
	case api.Soft:
	default:
		return purge.Effect{}, badRequest("mode must be %q or %q", api.Hard, api.Soft)
	}
	effect := purge.SoftEffect()
	for _, bound := range []struct {
		name string
		from *api.Duration
		to   *time.Duration
	}{
		{"ttl", p.TTL, &effect.TTL}, {"grace", p.Grace, &effect.Grace}, {"keep", p.Keep, &effect.Keep},
	} {
		if bound.from == nil {
			continue
		}
		if *bound.from < 0 {
			return purge.Effect{}, badRequest("%s is negative", bound.name)
		}
		*bound.to = time.Duration(*bound.from)
	}
	return effect, nil
}
