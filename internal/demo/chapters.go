package demo

import (
	"context"
	"net/http"
	"time"
)

// The page that the story is about, and a surrogate key that it has in common
// with the front page and the API.
const (
	productPage = "/products/1"
	productKey  = "product-1"
)

// pops are the network's by the parts they play.
func (s *Story) pops() (first, second, third *POP) {
	return s.Network.POPs[0], s.Network.POPs[1], s.Network.POPs[2]
}

func (s *Story) cached(ctx context.Context) error {
	s.chapter("1. A page is cached at every POP")
	if err := s.see(ctx, "GET /products/1", productPage, "en", "MISS v1"); err != nil {
		return err
	}
	if err := s.see(ctx, "again", productPage, "en", "HIT v1"); err != nil {
		return err
	}
	if err := s.see(ctx, "GET /, which shows the product too", "/", "en", "MISS v1"); err != nil {
		return err
	}
	s.change()
	return s.see(ctx, "GET /products/1: no POP can know", productPage, "en", "HIT v1")
}

func (s *Story) purgedByKey(ctx context.Context) error {
	first, _, _ := s.pops()
	s.chapter("2. Purged by its key at " + first.Name + ", gone everywhere")
	if err := s.purgeKey(ctx, first, false); err != nil {
		return err
	}
	if err := s.see(ctx, "GET /products/1", productPage, "en", "MISS v2"); err != nil {
		return err
	}
	if err := s.see(ctx, "GET /", "/", "en", "MISS v2"); err != nil {
		return err
	}
	return s.see(ctx, "GET /products/1: cached again", productPage, "en", "HIT v2")
}

func (s *Story) softPurged(ctx context.Context) error {
	_, second, _ := s.pops()
	s.chapter("3. Purged softly at " + second.Name + ": nobody waits for the shop")
	s.change()
	if err := s.purgeKey(ctx, second, true); err != nil {
		return err
	}
	if err := s.see(ctx, "GET /products/1: stale, at once", productPage, "en", "HIT v2"); err != nil {
		return err
	}
	return s.await(ctx, "and refreshed behind the visitor's back", productPage, "HIT v3")
}

func (s *Story) purgedByURL(ctx context.Context) error {
	_, _, third := s.pops()
	s.chapter("4. Purged by URL at " + third.Name + ": all variants of it, everywhere")
	if err := s.see(ctx, "GET /products/1, in German", productPage, "de", "MISS v3"); err != nil {
		return err
	}
	s.change()
	began := time.Now()
	a, err := s.call(ctx, "PURGE", third.Site+productPage, "")
	if err != nil {
		return err
	}
	if err := s.applied(ctx, "PURGE /products/1 at "+third.Name, a.ID, began, known); err != nil {
		return err
	}
	if err := s.see(ctx, "GET /products/1, in English", productPage, "en", "MISS v4"); err != nil {
		return err
	}
	return s.see(ctx, "GET /products/1, in German", productPage, "de", "MISS v4")
}

func (s *Story) reverted(ctx context.Context) error {
	first, second, _ := s.pops()
	s.chapter("5. Everything purged by mistake at " + first.Name + ", taken back at " + second.Name)
	before := s.Network.Shop.Requests()
	began := time.Now()
	a, err := s.call(ctx, http.MethodPost, first.Admin+"/v1/purges", `{"service":"shop","all":true}`)
	if err != nil {
		return err
	}
	if err := s.applied(ctx, "purge everything at "+first.Name, a.ID, began, known); err != nil {
		return err
	}
	began = time.Now()
	if _, err := s.call(ctx, http.MethodPost, second.Admin+"/v1/purges/"+a.ID+"/revert", ""); err != nil {
		return err
	}
	if err := s.applied(ctx, "revert that purge at "+second.Name, a.ID, began, reverted); err != nil {
		return err
	}
	if err := s.see(ctx, "GET /products/1: it is still there", productPage, "en", "HIT v4"); err != nil {
		return err
	}
	s.table.event("requests that reached the shop meanwhile: %d", s.Network.Shop.Requests()-before)
	return nil
}

func (s *Story) killed(ctx context.Context) error {
	first, _, third := s.pops()
	s.chapter("6. " + third.Name + " is killed and misses a purge")
	third.process.kill()
	s.table.event("%s is killed (kill -9)", third.Name)
	s.change()
	if err := s.purgeKey(ctx, first, false, third); err != nil {
		return err
	}
	if err := s.see(ctx, "GET /products/1", productPage, "en", "MISS v5", "MISS v5", down); err != nil {
		return err
	}
	if err := third.launch(); err != nil {
		return err
	}
	began := time.Now()
	if err := third.ready(ctx); err != nil {
		return err
	}
	s.table.event("%s is started again; it has heard from the others and is ready after %d ms", third.Name, time.Since(began).Milliseconds())
	return s.see(ctx, "GET /products/1: the old stays away", productPage, "en", "HIT v5", "HIT v5", "MISS v5")
}

// frozen shows the harder case: the POP that missed a purge still has the old
// page in its memory when it goes on.
func (s *Story) frozen(ctx context.Context) error {
	if !canFreeze {
		return nil
	}
	first, second, _ := s.pops()
	s.chapter("7. " + second.Name + " is frozen with the page in its memory, and misses a purge")
	if err := s.see(ctx, "GET /products/1", productPage, "en", "HIT v5"); err != nil {
		return err
	}
	if err := freeze(second.process.cmd.Process); err != nil {
		return err
	}
	s.table.event("%s is frozen (kill -STOP)", second.Name)
	s.change()
	if err := s.purgeKey(ctx, first, false, second); err != nil {
		return err
	}
	s.table.event("it hears nothing for %v, and goes on (kill -CONT)", frozenFor)
	if err := wait(ctx, frozenFor); err != nil {
		return err
	}
	if err := thaw(second.process.cmd.Process); err != nil {
		return err
	}
	if err := s.see(ctx, "GET /products/1, at once", productPage, "en", "MISS v6"); err != nil {
		return err
	}
	if err := s.applied(ctx, "the purge that "+second.Name+" missed", s.last, time.Now(), known); err != nil {
		return err
	}
	return s.await(ctx, "GET /products/1", productPage, "HIT v6")
}

// frozenFor is longer than a POP may hear nobody before it asks the origin about
// all that it has stored.
const frozenFor = isolatedAfter + isolatedAfter/4

// purgeKey purges the product's key at a POP, as a client of Fastly's API does,
// and shows when each POP has applied it.
func (s *Story) purgeKey(ctx context.Context, at *POP, soft bool, away ...*POP) error {
	what, header := "purge "+productKey+" at "+at.Name, []string(nil)
	if soft {
		what, header = "soft "+what, []string{"Fastly-Soft-Purge", "1"}
	}
	began := time.Now()
	a, err := s.call(ctx, http.MethodPost, at.Admin+"/service/shop/purge/"+productKey, "", header...)
	if err != nil {
		return err
	}
	s.last = a.ID
	return s.applied(ctx, what, a.ID, began, known, away...)
}
