package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"golang.org/x/net/http2"
)

// BenchmarkHTTP2Hit asks for 1 KiB on one connection in clear, 16 requests at a
// time, which are answered in front of Go's server or by a handler on it.
func BenchmarkHTTP2Hit(b *testing.B) {
	for _, fast := range []bool{true, false} {
		b.Run(fmt.Sprintf("fast=%v", fast), func(b *testing.B) {
			s := &site{Handler: http.NotFoundHandler()}
			cfg := Config{HTTP: []string{"127.0.0.1:0"}, Handler: s}
			if fast {
				cfg.Fast = s
			}
			server := benchServer(b, cfg)
			c, err := net.Dial("tcp", server.Addrs()[0].String())
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			out := bufio.NewWriterSize(c, 64<<10)
			fr := http2.NewFramer(out, bufio.NewReaderSize(c, 64<<10))
			fr.SetReuseFrames()
			io.WriteString(out, http2Preface)
			fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: largestWindow})
			fr.WriteWindowUpdate(0, 1<<30)
			p := &peer2{}
			p.enc = newPeerEncoder(p)
			stream, waiting := uint32(1), 0
			b.ReportAllocs()
			for b.Loop() {
				if waiting == 0 {
					for ; waiting < 16; waiting++ {
						fr.WriteHeaders(http2.HeadersFrameParam{
							StreamID: stream, BlockFragment: p.encode(pseudo("GET", "/hit/1024")...), EndStream: true, EndHeaders: true,
						})
						stream += 2
					}
					if stream%16384 == 1 {
						fr.WriteWindowUpdate(0, 8192*1024)
					}
					out.Flush()
				}
				for {
					f, err := fr.ReadFrame()
					if err != nil {
						b.Fatal(err)
					}
					if d, ok := f.(*http2.DataFrame); ok && d.StreamEnded() {
						waiting--
						break
					}
				}
			}
		})
	}
}
