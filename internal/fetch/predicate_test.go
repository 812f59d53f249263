package fetch

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/purge"
)

func (b *bench) ban(t *testing.T, text string, effect purge.Effect) purge.ID {
	t.Helper()
	s, err := purge.ParseBan(text)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Predicate(b.hasher, "s", field.QueryRule{})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UnixNano()
	id := purge.NewID(now / 1e6)
	b.engine.Apply(now, purge.Purge{ID: id, Service: "s", Predicates: []*purge.Predicate{p}, Effect: effect})
	return id
}

// TestBansOfWhatIsStored holds that a ban takes an object by fields that are
// not delivered too, and that undoing it brings the object back.
func TestBansOfWhatIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.answer = func(_ context.Context, r *origin.Request) (*origin.Response, error) {
			return says("x", "Cache-Control: max-age=600", "Surrogate-Key: k1 k2", "X-A: "+r.Target.Path), nil
		}
		for _, path := range []string{"/a", "/b"} {
			a, _ := b.Get(t.Context(), b.request(path))
			read(t, a)
		}
		synctest.Wait()
		usable := func(path string) bool {
			o := b.store.Get(b.request(path).Key, AnyVariant{})
			defer o.Release()
			return o.Found() && b.cfg.Judge.Judge(o).Usable()
		}
		id := b.ban(t, "obj.http.surrogate-key ~ k2 && obj.http.x-a == /a", purge.Effect{})
		if usable("/a") || !usable("/b") {
			t.Errorf("/a usable %v, /b %v", usable("/a"), usable("/b"))
		}
		b.engine.Revert(time.Now().UnixNano(), id)
		if !usable("/a") {
			t.Error("undone, but gone")
		}
	})
}

// TestJoiningPastABan holds that a request that begins after a ban shares no
// fetch from before it: by its URL it starts another at once, by its head it
// waits for that and then, with others, shares a new one.
func TestJoiningPastABan(t *testing.T) {
	for ban, waits := range map[string]bool{"req.url ~ ^/a": false, "obj.http.x-v == old": true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			version := "old"
			b.answer = func(context.Context, *origin.Request) (*origin.Response, error) {
				v := version
				time.Sleep(time.Second)
				return says(v, "Cache-Control: max-age=600", "X-V: "+v), nil
			}
			get := func(got *string) {
				a, err := b.Get(context.Background(), b.request("/a"))
				if err != nil {
					t.Error(err)
					return
				}
				*got = read(t, a)
			}
			var first, second, third string
			go get(&first)
			synctest.Wait()
			version = "new"
			b.ban(t, ban, purge.Effect{})
			began := time.Now()
			go get(&third)
			get(&second)
			if took := time.Since(began); (took > time.Second) != waits {
				t.Errorf("%s: it took %v", ban, took)
			}
			synctest.Wait()
			if first != "old" || second != "new" || third != "new" || b.Counters().Fetches.Load() != 2 {
				t.Errorf("%s: %q, %q and %q in %d fetches", ban, first, second, third, b.Counters().Fetches.Load())
			}
		})
	}
}

// TestRenewalPastABan holds that a ban of the response that a 304 confirmed
// withdraws it, although the new head would not match.
func TestRenewalPastABan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		asked := 0
		b.answer = func(_ context.Context, r *origin.Request) (*origin.Response, error) {
			asked++
			if r.Fields.Has("If-None-Match") {
				time.Sleep(time.Second)
				resp := says("", "Cache-Control: max-age=600", `ETag: "1"`, "X-V: 2")
				resp.Status = 304
				return resp, nil
			}
			body := "one"
			if asked > 1 {
				body = "two"
			}
			return says(body, "Cache-Control: max-age=10", `ETag: "1"`, "X-V: 1"), nil
		}
		a, _ := b.Get(t.Context(), b.request("/a"))
		read(t, a)
		time.Sleep(11 * time.Second)
		go func() {
			time.Sleep(time.Second / 2)
			b.ban(t, "obj.http.x-v == 1", purge.Effect{})
		}()
		r := b.request("/a")
		r.Renew = true
		a, err := b.Get(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, a); got != "two" || asked != 3 {
			t.Errorf("%q after %d requests", got, asked)
		}
	})
}

// TestRefreshPastABan holds that a background refresh from before a soft ban
// of what is stored does not stop one from after it.
func TestRefreshPastABan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.answer = func(context.Context, *origin.Request) (*origin.Response, error) {
			return says("x", "Cache-Control: max-age=600, stale-while-revalidate=600", "X-V: 1"), nil
		}
		a, _ := b.Get(t.Context(), b.request("/a"))
		read(t, a)
		time.Sleep(11 * time.Minute)
		release := make(chan struct{})
		b.answer = func(context.Context, *origin.Request) (*origin.Response, error) {
			<-release
			return nil, io.ErrUnexpectedEOF
		}
		for _, want := range []int64{1, 1, 2, 2} {
			if want == 2 && b.Counters().Refreshes.Load() == 1 {
				b.ban(t, "obj.http.x-v == 1", purge.SoftEffect())
			}
			b.Refresh(b.request("/a"))
			synctest.Wait()
			if got := b.Counters().Refreshes.Load(); got != want {
				t.Errorf("%d refreshes, want %d", got, want)
			}
		}
		close(release)
		synctest.Wait()
	})
}
