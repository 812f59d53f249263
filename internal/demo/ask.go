package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// version finds what a page says of its first product.
var version = regexp.MustCompile(`(?:version|Fassung) (\d+)`)

// maxAnswer bounds what is read of an answer; the shop's pages are far smaller.
const maxAnswer = 1 << 20

// down is what is seen of a POP that is not there.
const down = "down"

// visit asks a POP for a page and returns what its visitor sees: whether the
// cache had it, and the version on it.
func (s *Story) visit(ctx context.Context, p *POP, path, lang string) (seen string, took time.Duration) {
	began := time.Now()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Site+path, nil)
	if err != nil {
		return err.Error(), 0
	}
	r.Header.Set("Accept-Language", lang)
	resp, err := s.client.Do(r)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return down, -1
	}
	if err != nil {
		return err.Error(), time.Since(began)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err.Error(), time.Since(began)
	}
	seen = resp.Header.Get("X-Cache")
	if v := version.FindSubmatch(body); v != nil {
		seen += " v" + string(v[1])
	}
	return seen, time.Since(began)
}

// answer is what the purge APIs say, as far as the story reads it.
type answer struct {
	Status   string    `json:"status"` // Fastly's API: "ok"
	ID       string    `json:"id"`
	Reverted *struct{} `json:"reverted"`
}

// errAnswer is wrapped by call's error for an answer that is not a success.
var errAnswer = errors.New("the POP answered")

// call asks an API of a POP.
func (s *Story) call(ctx context.Context, method, url, body string, header ...string) (a answer, err error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return a, err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case err != nil:
		return a, err
	case resp.StatusCode != http.StatusOK:
		return a, fmt.Errorf("%w %s: %.200s", errAnswer, resp.Status, text)
	}
	return a, json.Unmarshal(text, &a)
}

// knownWithin is how long a purge may take to be known at a POP, on a busy
// machine or after a loss.
const knownWithin = 20 * time.Second

// until asks a POP for the receipt of a purge until it is as wanted, and tells
// whether it became so in time.
func (s *Story) until(ctx context.Context, p *POP, id string, wanted func(answer) bool) bool {
	ctx, cancel := context.WithTimeout(ctx, knownWithin)
	defer cancel()
	for {
		if a, err := s.call(ctx, http.MethodGet, p.Admin+"/v1/purges/"+id, ""); err == nil && wanted(a) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(glance / 10):
		}
	}
}
