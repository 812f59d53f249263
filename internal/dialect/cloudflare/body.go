package cloudflare

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/purge"
)

// apiError is a refusal with the code that this API's clients know it by.
type apiError struct {
	code int
	text string
}

func (e *apiError) Error() string { return e.text }

// Unwrap makes it one of control's refusals.
func (e *apiError) Unwrap() error { return control.ErrBadRequest }

// Codes of what is wrong with a body.
const (
	codeNothing  = 1012 // no member says what to purge
	codeNoArray  = 1014 // a member is not a list
	codeSelector = 1134 // something named cannot be purged
)

// request is the body of a purge. Members that it does not know are ignored.
type request struct {
	Everything bool            `json:"purge_everything"`
	Files      json.RawMessage `json:"files"`
	Tags       json.RawMessage `json:"tags"`
	Hosts      json.RawMessage `json:"hosts"`
	Prefixes   json.RawMessage `json:"prefixes"`
}

// file is one of the files: a URL, or an object that holds one. Its headers
// pick a variant at Cloudflare.
type file struct{ url string }

// UnmarshalJSON implements json.Unmarshaler.
func (f *file) UnmarshalJSON(text []byte) error {
	if err := json.Unmarshal(text, &f.url); err == nil {
		return nil
	}
	var object struct {
		URL     string            `json:"url"`
		Headers map[string]string `json:"headers"`
	}
	err := json.Unmarshal(text, &object)
	f.url = object.URL
	return err
}

// parse reads what a body names.
func parse(body []byte) ([]purge.Selector, error) {
	var r request
	if len(bytes.TrimSpace(body)) > 0 {
		if err := json.Unmarshal(body, &r); err != nil {
			return nil, &apiError{codeNothing, "the request body is not a JSON object of a purge: " + err.Error()}
		}
	}
	var l selectorList
	if r.Everything {
		l.add(purge.All(), nil)
	}
	var files []file
	if err := array(r.Files, &files); err != nil {
		return nil, err
	}
	for _, f := range files {
		l.add(purge.URL(bothSchemes(f.url)))
	}
	for _, member := range []struct {
		text json.RawMessage
		take func(string)
	}{
		{r.Tags, l.tag},
		{r.Hosts, func(host string) { l.add(purge.Host(host)) }},
		{r.Prefixes, func(prefix string) { l.add(purge.Path(prefix)) }},
	} {
		var names []string
		if err := array(member.text, &names); err != nil {
			return nil, err
		}
		for _, name := range names {
			member.take(name)
		}
	}
	switch {
	case l.err != nil:
		return nil, &apiError{codeSelector, "Unable to purge: " + l.err.Error()}
	case len(l.selectors) == 0:
		return nil, &apiError{codeNothing, `Request must contain one of "purge_everything", "files", "tags", "hosts" or "prefixes"`}
	}
	return l.selectors, nil
}

// selectorList collects selectors up to the first error.
type selectorList struct {
	selectors []purge.Selector
	err       error
}

func (l *selectorList) add(s purge.Selector, err error) {
	if l.err == nil {
		l.selectors, l.err = append(l.selectors, s), err
	}
}

// tag takes a tag in its own letters, for headers whose keys are compared so,
// and in lower case, as Cache-Tag is read.
func (l *selectorList) tag(tag string) {
	l.add(purge.Key(tag))
	if lower := strings.ToLower(tag); lower != tag {
		l.add(purge.Key(lower))
	}
}

// array reads a member that is a list, or absent, which some clients write as
// null.
func array[T any](text json.RawMessage, into *[]T) error {
	if len(text) == 0 || bytes.Equal(text, []byte("null")) {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return &apiError{codeNoArray, fmt.Sprintf(`"files", "tags", "hosts" and "prefixes" must be arrays: %v`, err)}
	}
	return nil
}

// bothSchemes removes a scheme: behind a TLS terminator a page may be stored
// under the other one.
func bothSchemes(url string) string {
	for _, scheme := range [...]string{"https://", "http://"} {
		if len(url) >= len(scheme) && strings.EqualFold(url[:len(scheme)], scheme) {
			return "//" + url[len(scheme):]
		}
	}
	return url
}
