package main

// chapter is one group of measurements, on servers of its own.
type chapter struct {
	name    string // for -only
	measure func(*lab) error
}

const (
	chapterFull = "full"
	chapterHuge = "huge"
)

// chapters are in the order of the report.
var chapters = []chapter{
	{"hits", measureHits},
	{"handed", measureHanded},
	{"h2", measureHTTP2},
	{"tls", measureTLS},
	{"miss", measureMisses},
	{"latency", measureLatency},
	{"purge", measurePurges},
	{chapterFull, measureFull},
	{chapterHuge, measureHuge},
}

func chapterNames() []string {
	var names []string
	for _, c := range chapters {
		names = append(names, c.name)
	}
	return names
}
