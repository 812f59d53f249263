package store_test

import (
	"context"
	"fmt"
	"testing"
)

func BenchmarkBodyRead(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			body := written(b, newRoom(1<<30), pattern(size))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r := body.NewReader(0)
					for {
						if _, err := r.Next(context.Background()); err != nil {
							break
						}
					}
					r.Close()
				}
			})
		})
	}
}
