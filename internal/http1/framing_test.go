package http1

import (
	"bufio"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

func TestParseLength(t *testing.T) {
	for value, want := range map[string]int64{
		"0": 0, "5": 5, "005": 5, "9223372036854775807": 1<<63 - 1, strings.Repeat("0", 100) + "7": 7,
		"": -1, " 5": -1, "5 ": -1, "+5": -1, "-5": -1, "0x5": -1, "5_0": -1, "5,5": -1, "5, 5": -1, "\u0665": -1,
		"9223372036854775808": -1, "18446744073709551621": -1,
	} {
		n, ok := ParseLength(value)
		if want < 0 && ok || want >= 0 && (!ok || n != want) {
			t.Errorf("%q: %d, %v", value, n, ok)
		}
	}
}

func TestCheckCoding(t *testing.T) {
	for value, want := range map[string]Fault{
		"chunked": NoFault, "CHUNKED": NoFault,
		"gzip, chunked": UnknownCoding, "gzip,x , Chunked": UnknownCoding,
		"": InvalidCoding, "identity": InvalidCoding, "gzip": InvalidCoding, "chunked, chunked": InvalidCoding,
		"chunked,": InvalidCoding, ",chunked": InvalidCoding, "chunked, identity": InvalidCoding, "xchunked": InvalidCoding,
		"\"chunked\"": InvalidCoding, "gzip;q=1, chunked": InvalidCoding,
		"chun\u212aed": InvalidCoding, // U+212A, which Unicode folds to k
	} {
		if got := CheckCoding(value); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

func TestMayTrail(t *testing.T) {
	for _, name := range []string{"Host", "connection", "UPGRADE", "Trailer", "Content-Length", "transfer-encoding"} {
		if MayTrail(name) {
			t.Errorf("%s may", name)
		}
	}
	for _, name := range []string{"", "Hist", "Digest", "X-Chan", "X-Sum-Name", "Content-Digest", "X-Transfer-Encode"} {
		if !MayTrail(name) {
			t.Errorf("%s may not", name)
		}
	}
	for name, want := range map[string]bool{"trailer": true, "Content-length": true, "Transfer-Encoding": true, "Host": false, "Upgrade": false} {
		if Frames(name) != want {
			t.Errorf("%s frames: %v", name, !want)
		}
	}
}

// FuzzFraming holds that lengths are those of strconv in bytes and in strings,
// and that net/http reads a body by what is admitted as it is meant.
func FuzzFraming(f *testing.F) {
	for _, s := range []string{"0", "5", "+5", "5 5", "9223372036854775808", "chunked", "gzip, chunked", "chunked, chunked", "chun\u212aed"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		n, ok := ParseLength(value)
		n2, ok2 := ParseLength([]byte(value))
		theirs, err := strconv.ParseUint(value, 10, 63)
		if n != n2 || ok != ok2 || ok != (err == nil) || ok && uint64(n) != theirs {
			t.Fatalf("a string: %d, %v; bytes: %d, %v; to strconv %d, %v", n, ok, n2, ok2, theirs, err)
		}
		if ok {
			compareFraming(t, "Content-Length", value, n)
		}
		if CheckCoding(value) == NoFault {
			compareFraming(t, "Transfer-Encoding", value, -1)
		}
	})
}

func compareFraming(t *testing.T, name, value string, length int64) {
	request := "POST / HTTP/1.1\r\nHost: a\r\n" + name + ": " + value + "\r\n\r\n"
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(request)))
	if err != nil || r.ContentLength != length {
		t.Fatalf("%s: %q; to net/http %v", name, value, err)
	}
}
