package sink

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// collector is a syslog collector at the other end of in-memory connections.
type collector struct {
	conns chan net.Conn // those that were dialled
	down  atomic.Bool   // refuses connections
	dials atomic.Int64
}

func newCollector() *collector { return &collector{conns: make(chan net.Conn, 16)} }

func (c *collector) dial(_ context.Context, _, _ string) (net.Conn, error) {
	c.dials.Add(1)
	if c.down.Load() {
		return nil, errors.New("connection refused")
	}
	here, there := net.Pipe()
	c.conns <- there
	return here, nil
}

// next reads an octet-counted message and returns what stands behind its header.
func next(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	var n int
	if _, err := fmt.Fscanf(r, "%d ", &n); err != nil {
		t.Fatal(err)
	}
	message := make([]byte, n)
	if _, err := io.ReadFull(r, message); err != nil {
		t.Fatal(err)
	}
	return strings.SplitN(string(message), " ", 8)[7]
}

func TestMessagesAreRFC5424(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCollector()
		c.down.Store(true)
		s := openOn(t, Config{To: parse(t, "syslog+tcp://h:601?facility=local3&app=edge"), Hostname: "fra1 a\n", Dial: c.dial})
		s.Put([]byte(`{"a":"ä"}`))
		time.Sleep(time.Hour) // a message has the time of its line, not that of its sending
		c.down.Store(false)
		message := fmt.Sprintf(`<158>1 2000-01-01T00:00:00.000000Z fra1a edge %d - - {"a":"ä"}`, os.Getpid())
		want := fmt.Sprintf("%d %s", len(message), message)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(<-c.conns, got); err != nil || string(got) != want {
			t.Errorf("got  %s, %v\nwant %s", got, err, want)
		}
		if err := closeIn(t, s, time.Second); err != nil {
			t.Error(err)
		}
	})
}

func TestStreamSendsAgainWhatWasNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, said := journal()
		c := newCollector()
		s := openOn(t, Config{To: parse(t, "syslog+tcp://h:601"), Dial: c.dial, Log: log})
		for i := range 5 {
			s.Put(fmt.Appendf(nil, "line %d", i))
		}
		first := <-c.conns
		r := bufio.NewReaderSize(first, 16) // takes little more than it needs
		for i := range 2 {
			if got := next(t, r); got != fmt.Sprint("line ", i) {
				t.Errorf("got %q", got)
			}
		}
		first.Close()
		r = bufio.NewReader(<-c.conns)
		for i := 2; i < 5; i++ {
			if got := next(t, r); got != fmt.Sprint("line ", i) {
				t.Errorf("got %q", got)
			}
		}
		if err := closeIn(t, s, time.Second); err != nil {
			t.Error(err)
		}
		if s.Delivered() != 5 || s.Dropped() != 0 {
			t.Errorf("delivered %d, dropped %d", s.Delivered(), s.Dropped())
		}
		if list := records(t, said); len(list) != 1 || list[0].Msg != "log sink failing" {
			t.Errorf("reported %s", said)
		}
	})
}

func TestStreamComesBackAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCollector()
		c.down.Store(true)
		s := openOn(t, Config{To: parse(t, "syslog+tcp://h:601"), Dial: c.dial})
		s.Put([]byte("kept"))
		time.Sleep(10 * time.Minute)
		if n := c.dials.Load(); n < 20 || n > 60 {
			t.Errorf("%d attempts in ten minutes", n)
		}
		c.down.Store(false)
		if got := next(t, bufio.NewReader(<-c.conns)); got != "kept" {
			t.Errorf("got %q", got)
		}
		if err := closeIn(t, s, time.Second); err != nil {
			t.Error(err)
		}
	})
}

// A collector that restarts while nothing is logged loses nothing, and ending
// an idle connection is no trouble.
func TestStreamNoticesThatTheCollectorWent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, said := journal()
		c := newCollector()
		s := openOn(t, Config{To: parse(t, "syslog+tcp://h:601"), Dial: c.dial, Log: log})
		for i := range 3 {
			line := fmt.Sprint("line ", i)
			s.Put([]byte(line))
			conn := <-c.conns
			if got := next(t, bufio.NewReader(conn)); got != line {
				t.Errorf("got %q", got)
			}
			conn.Close()
			synctest.Wait()
		}
		if err := closeIn(t, s, time.Second); err != nil {
			t.Error(err)
		}
		if said.String() != "" {
			t.Errorf("reported %s", said)
		}
	})
}

// A collector that accepts connections and reads nothing is given up at the
// write deadline; Close does not wait for it.
func TestStalledCollectorIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCollector()
		s := openOn(t, Config{To: parse(t, "syslog+tcp://h:601"), Dial: c.dial})
		s.Put([]byte("x"))
		first := <-c.conns
		time.Sleep(lingerSyslog + writeTimeout)
		synctest.Wait()
		if _, err := first.Read(make([]byte, 1)); err == nil {
			t.Error("the connection was not ended")
		}
		began := time.Now()
		if err := closeIn(t, s, time.Second); err == nil || s.Dropped() != 1 {
			t.Errorf("got %v, dropped %d", err, s.Dropped())
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("closing took %v", took)
		}
	})
}

func TestDatagrams(t *testing.T) {
	at, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer at.Close()
	s := openOn(t, Config{To: parse(t, "syslog+udp://"+at.LocalAddr().String()), Hostname: "n1"})
	s.Put([]byte("one"))
	s.Put(make([]byte, 70_000)) // no datagram holds it
	s.Put([]byte("two"))
	buf := make([]byte, 2048)
	for _, want := range []string{"one", "two"} {
		n, _, err := at.ReadFrom(buf)
		if err != nil {
			t.Fatal(err)
		}
		got := string(buf[:n])
		if !strings.HasPrefix(got, "<134>1 ") || !strings.HasSuffix(got, " n1 rescind "+fmt.Sprint(os.Getpid())+" - - "+want) {
			t.Errorf("got %q", got)
		}
	}
	if err := closeIn(t, s, time.Minute); err != nil && !strings.HasSuffix(err.Error(), "lines not delivered: 1") {
		t.Error(err)
	}
	if s.Delivered() != 2 || s.Dropped() != 1 {
		t.Errorf("delivered %d, dropped %d", s.Delivered(), s.Dropped())
	}
}

func TestDatagramsAreLostWhereNameLookupFails(t *testing.T) {
	c := newCollector()
	c.down.Store(true)
	log, said := journal()
	s := openOn(t, Config{To: parse(t, "syslog+udp://h:514"), Dial: c.dial, Log: log})
	for range 100 {
		s.Put([]byte("x"))
	}
	if err := closeIn(t, s, time.Minute); err == nil || s.Dropped() != 100 {
		t.Errorf("got %v, dropped %d", err, s.Dropped())
	}
	if !strings.Contains(said.String(), "connecting: connection refused") {
		t.Errorf("reported %s", said)
	}
}

func TestSyslogHeaderParts(t *testing.T) {
	for in, want := range map[string]string{"": "-", "a b\x00ä": "ab", "\n": "-", strings.Repeat("x", 300): strings.Repeat("x", 255)} {
		if got := printable(in, 255); got != want {
			t.Errorf("%q: got %q", in, got)
		}
	}
	for _, counted := range []bool{false, true} {
		f := newSyslogFrames(Target{app: "a"}, "h", counted)
		for n := range 1200 {
			if got := len(f.append(nil, make([]byte, n))); got != f.size(n) {
				t.Fatalf("a line of %d bytes takes %d, size says %d", n, got, f.size(n))
			}
		}
	}
}
