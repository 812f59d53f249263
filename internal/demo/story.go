package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"
)

// Story plays what the product is for against a running node.
type Story struct {
	Site  string // base URL of the node's data plane
	Admin string // base URL of its admin listener
	Shop  *Shop
	Out   io.Writer

	http   http.Client
	steps  []step
	failed int
}

// step is one line of the story's table.
type step struct {
	what, expected, seen string
	took                 time.Duration
	counted              bool // false for what happens at the origin
}

// Play plays the story and prints its table. It returns an error where
// anything was not as expected.
func (s *Story) Play(ctx context.Context) error {
	s.http.Timeout = 10 * time.Second
	for _, chapter := range []func(context.Context) error{s.cached, s.purgedByKey, s.softPurged, s.purgedByURL, s.purgedWhole, s.reverted} {
		if err := chapter(ctx); err != nil {
			s.print()
			return err
		}
	}
	s.print()
	if s.failed > 0 {
		return fmt.Errorf("%d of %d steps were not as expected", s.failed, len(s.steps))
	}
	return nil
}

const productURL = "/products/1"

func (s *Story) cached(ctx context.Context) error {
	s.see(ctx, "first request", productURL, "en", "MISS version 1")
	s.see(ctx, "again", productURL, "en", "HIT version 1")
	s.see(ctx, "the front page, which shows it too", "/", "en", "MISS version 1")
	s.see(ctx, "again", "/", "en", "HIT version 1")
	s.happens("the product changes at the origin", fmt.Sprint("version ", s.Shop.Change(1)))
	s.see(ctx, "the cache cannot know", productURL, "en", "HIT version 1")
	return ctx.Err()
}

func (s *Story) purgedByKey(ctx context.Context) error {
	s.purge(ctx, "purge by key product-1", http.MethodPost, s.Admin+"/service/shop/purge/product-1", false)
	s.see(ctx, "the product page is new", productURL, "en", "MISS version 2")
	s.see(ctx, "so is the front page", "/", "en", "MISS version 2")
	s.see(ctx, "and both are cached again", productURL, "en", "HIT version 2")
	return ctx.Err()
}

func (s *Story) softPurged(ctx context.Context) error {
	s.happens("the product changes again", fmt.Sprint("version ", s.Shop.Change(1)))
	s.purge(ctx, "soft purge by key product-1", http.MethodPost, s.Admin+"/service/shop/purge/product-1", true)
	s.see(ctx, "answered stale at once, refreshed behind", productURL, "en", "HIT version 2")
	s.await(ctx, "a moment later", productURL, "HIT version 3")
	return ctx.Err()
}

func (s *Story) purgedByURL(ctx context.Context) error {
	s.see(ctx, "the same page in German: another variant", productURL, "de", "MISS Fassung 3")
	s.see(ctx, "cached as well", productURL, "de", "HIT Fassung 3")
	s.purge(ctx, "purge the URL (takes 2 variants)", "PURGE", s.Site+productURL, false)
	s.see(ctx, "English is gone", productURL, "en", "MISS version 3")
	s.see(ctx, "German is gone", productURL, "de", "MISS Fassung 3")
	return ctx.Err()
}

func (s *Story) purgedWhole(ctx context.Context) error {
	s.see(ctx, "an image", "/images/1.svg", "en", "MISS")
	s.see(ctx, "cached", "/images/1.svg", "en", "HIT")
	s.purge(ctx, "purge everything", http.MethodPost, s.Admin+"/service/shop/purge_all", false)
	s.see(ctx, "the image is gone", "/images/1.svg", "en", "MISS")
	s.see(ctx, "the page is gone", productURL, "en", "MISS version 3")
	s.see(ctx, "and cached again", productURL, "en", "HIT version 3")
	return ctx.Err()
}

func (s *Story) reverted(ctx context.Context) error {
	id := s.purgeNative(ctx, "purge everything, by mistake")
	s.revert(ctx, "take that purge back", id)
	s.see(ctx, "the page is still there", productURL, "en", "HIT version 3")
	return ctx.Err()
}

// version finds what a page says of its first product.
var version = regexp.MustCompile(`(version|Fassung) \d+`)

// get returns what a client sees: X-Cache and the version.
func (s *Story) get(ctx context.Context, path, lang string) (string, time.Duration) {
	began := time.Now()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Site+path, nil)
	if err != nil {
		return err.Error(), 0
	}
	r.Header.Set("Accept-Language", lang)
	resp, err := s.http.Do(r)
	if err != nil {
		return err.Error(), time.Since(began)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return strings.TrimSpace(resp.Header.Get("X-Cache") + " " + version.FindString(string(body))), time.Since(began)
}

func (s *Story) see(ctx context.Context, what, path, lang, expected string) {
	seen, took := s.get(ctx, path, lang)
	s.add(step{"GET " + path + "  " + what, expected, seen, took, true})
}

// await asks until the expected answer comes, for a refresh behind a client's
// back takes as long as the origin does.
func (s *Story) await(ctx context.Context, what, path, expected string) {
	began, seen := time.Now(), ""
	for ctx.Err() == nil && time.Since(began) < 5*time.Second {
		if seen, _ = s.get(ctx, path, "en"); seen == expected {
			break
		}
	}
	s.add(step{"GET " + path + "  " + what, expected, seen, time.Since(began), true})
}

func (s *Story) happens(what, result string) {
	s.add(step{what: what, expected: result, seen: result})
}

func (s *Story) purge(ctx context.Context, what, method, url string, soft bool) {
	answer, took := s.call(ctx, method, url, "", soft)
	s.add(step{what, "ok", answer.Status, took, true})
}

// answer is what the purge APIs say.
type answer struct {
	Status string `json:"status"`
	ID     string `json:"id"`
}

func (s *Story) call(ctx context.Context, method, url, body string, soft bool) (a answer, took time.Duration) {
	began := time.Now()
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return answer{Status: err.Error()}, 0
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if soft {
		r.Header.Set("Fastly-Soft-Purge", "1")
	}
	resp, err := s.http.Do(r)
	if err != nil {
		return answer{Status: err.Error()}, time.Since(began)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err := json.Unmarshal(text, &a); err != nil || resp.StatusCode != http.StatusOK {
		a.Status = fmt.Sprintf("%s: %.100s", resp.Status, text)
	}
	return a, time.Since(began)
}

func (s *Story) purgeNative(ctx context.Context, what string) (id string) {
	a, took := s.call(ctx, http.MethodPost, s.Admin+"/v1/purges", `{"service":"shop","all":true}`, false)
	seen := a.Status
	if a.ID != "" {
		seen = "ok"
	}
	s.add(step{what, "ok", seen, took, true})
	return a.ID
}

func (s *Story) revert(ctx context.Context, what, id string) {
	a, took := s.call(ctx, http.MethodPost, s.Admin+"/v1/purges/"+id+"/revert", "", false)
	seen := a.Status
	if a.ID == id || seen == "" {
		seen = "ok"
	}
	s.add(step{what, "ok", seen, took, true})
}

func (s *Story) add(st step) {
	if st.expected != st.seen {
		s.failed++
	}
	s.steps = append(s.steps, st)
}

func (s *Story) print() {
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\tSTEP\tEXPECTED\tSEEN\tTIME")
	for _, st := range s.steps {
		mark, took := "ok", ""
		if st.expected != st.seen {
			mark = "NO"
		}
		if st.counted {
			took = fmt.Sprintf("%.1f ms", float64(st.took.Microseconds())/1000)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", mark, st.what, st.expected, st.seen, took)
	}
	w.Flush()
	fmt.Fprintf(s.Out, "\n%d requests reached the origin.\n", s.Shop.Requests())
}
