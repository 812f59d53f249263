package demo

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Shop is the sample origin. Every response is tagged with the surrogate keys
// of what it shows and carries an ETag; every page shows the version of each
// product on it, which grows when the product changes.
type Shop struct {
	// Delay is how long each response takes to make, so that a person sees
	// what a cache is for.
	Delay time.Duration

	mu struct {
		sync.Mutex
		products []product
		requests int
	}
}

type product struct {
	name    string
	cents   int
	version int
}

// NewShop returns a shop with a few products of version 1.
func NewShop(delay time.Duration) *Shop {
	s := &Shop{Delay: delay}
	s.mu.products = []product{{"Morning Edition", 250, 1}, {"Evening Edition", 220, 1}, {"Weekend Edition", 480, 1}}
	return s
}

// Change makes product id (from 1) dearer and gives it a new version.
func (s *Shop) Change(id int) (version int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.mu.products[id-1]
	p.cents += 10
	p.version++
	return p.version
}

// Requests returns how many requests have reached the shop.
func (s *Shop) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.requests
}

func (s *Shop) list() []product {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.requests++
	return append([]product(nil), s.mu.products...)
}

// page is a response before it is written.
type page struct {
	contentType string
	body        string
	keys        []string
	vary        string
	maxAge      int
}

// ServeHTTP serves the shop, and POST /change/{id} for whoever plays the
// editor.
func (s *Shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if id, ok := strings.CutPrefix(r.URL.Path, "/change/"); ok && r.Method == http.MethodPost {
		s.change(w, id)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "the shop only shows", http.StatusMethodNotAllowed)
		return
	}
	products := s.list()
	time.Sleep(s.Delay)
	p, ok := render(r, products)
	if !ok {
		w.Header().Set("Surrogate-Key", "not-found")
		w.Header().Set("Cache-Control", "max-age=5")
		http.Error(w, "no such page in the shop", http.StatusNotFound)
		return
	}
	p.write(w, r)
}

func (s *Shop) change(w http.ResponseWriter, text string) {
	id, err := strconv.Atoi(text)
	if err != nil || id < 1 || id > len(s.list()) {
		http.Error(w, "no such product", http.StatusNotFound)
		return
	}
	fmt.Fprintf(w, "product %d is now version %d\n", id, s.Change(id))
}

func (p page) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", p.contentType)
	h.Set("Surrogate-Key", strings.Join(p.keys, " "))
	h.Set("ETag", fmt.Sprintf(`"%08x"`, hash(p.body)))
	h.Set("Cache-Control", fmt.Sprintf("max-age=%d, stale-while-revalidate=60, stale-if-error=600", p.maxAge))
	if p.vary != "" {
		h.Set("Vary", p.vary)
	}
	if r.Header.Get("If-None-Match") == h.Get("ETag") {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(p.body)))
	fmt.Fprint(w, p.body)
}

// hash is FNV-1a, enough for the ETag of a sample.
func hash(s string) uint32 {
	h := uint32(2166136261)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}

// render makes the page of a path; false where there is none.
func render(r *http.Request, products []product) (page, bool) {
	path := r.URL.Path
	switch {
	case path == "/":
		return frontPage(r, products), true
	case path == "/api/products":
		return apiList(products), true
	case path == "/assets/site.css":
		return page{contentType: "text/css", body: "body{font-family:serif;max-width:40em;margin:auto}\n", keys: []string{"assets"}, maxAge: 86400}, true
	}
	for _, section := range []struct {
		prefix, suffix string
		render         func(*http.Request, int, product) page
	}{
		{"/products/", "", showProduct}, {"/api/products/", "", apiProduct}, {"/images/", ".svg", image},
	} {
		name, ok := strings.CutPrefix(path, section.prefix)
		name, ok2 := strings.CutSuffix(name, section.suffix)
		id, err := strconv.Atoi(name)
		if ok && ok2 && err == nil && id >= 1 && id <= len(products) {
			return section.render(r, id, products[id-1]), true
		}
	}
	return page{}, false
}

// words are what the shop says in a language.
type words struct{ lang, title, version string }

func language(r *http.Request) words {
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Accept-Language")), "de") {
		return words{"de", "Zeitungsladen", "Fassung"}
	}
	return words{"en", "News shop", "version"}
}

func html(w words, inner string) string {
	return fmt.Sprintf("<!doctype html>\n<html lang=%q><title>%s</title><link rel=stylesheet href=/assets/site.css>\n<h1>%s</h1>\n%s</html>\n", w.lang, w.title, w.title, inner)
}

func key(id int) string { return fmt.Sprintf("product-%d", id) }

func price(cents int) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

func frontPage(r *http.Request, products []product) page {
	w, list, keys := language(r), "", []string{"front", "pages"}
	for i, p := range products {
		list += fmt.Sprintf("<p><a href=/products/%d>%s</a> %s, %s %d</p>\n", i+1, p.name, price(p.cents), w.version, p.version)
		keys = append(keys, key(i+1))
	}
	return page{contentType: "text/html; charset=utf-8", body: html(w, list), keys: keys, vary: "Accept-Language", maxAge: 3600}
}

func showProduct(r *http.Request, id int, p product) page {
	w := language(r)
	inner := fmt.Sprintf("<h2>%s</h2><img src=/images/%d.svg alt=\"\">\n<p>%s, %s %d</p>\n", p.name, id, price(p.cents), w.version, p.version)
	return page{contentType: "text/html; charset=utf-8", body: html(w, inner), keys: []string{key(id), "pages"}, vary: "Accept-Language", maxAge: 3600}
}

func apiProduct(_ *http.Request, id int, p product) page {
	return page{
		contentType: "application/json", keys: []string{key(id), "api"}, maxAge: 600,
		body: fmt.Sprintf("{\"id\":%d,\"name\":%q,\"price\":%q,\"version\":%d}\n", id, p.name, price(p.cents), p.version),
	}
}

func apiList(products []product) page {
	var items []string
	keys := []string{"api"}
	for i, p := range products {
		items = append(items, strings.TrimSpace(apiProduct(nil, i+1, p).body))
		keys = append(keys, key(i+1))
	}
	return page{contentType: "application/json", keys: keys, maxAge: 600, body: "[" + strings.Join(items, ",") + "]\n"}
}

func image(_ *http.Request, id int, p product) page {
	return page{
		contentType: "image/svg+xml", keys: []string{key(id), "images"}, maxAge: 86400,
		body: fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"120\" height=\"60\"><text x=\"8\" y=\"35\">%s</text></svg>\n", p.name),
	}
}
