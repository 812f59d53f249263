package wan

import (
	"math"
	"time"
)

// City is a place with two nodes.
type City struct {
	Name     string
	Lat, Lon float64 // degrees
}

// Cities are 32 places where content networks have nodes.
func Cities() []City {
	return []City{
		{"amsterdam", 52.37, 4.90}, {"ashburn", 39.04, -77.49}, {"atlanta", 33.75, -84.39}, {"auckland", -36.85, 174.76},
		{"bogota", 4.71, -74.07}, {"buenos-aires", -34.60, -58.38}, {"chicago", 41.88, -87.63}, {"dallas", 32.78, -96.80},
		{"denver", 39.74, -104.99}, {"dubai", 25.20, 55.27}, {"frankfurt", 50.11, 8.68}, {"hong-kong", 22.32, 114.17},
		{"istanbul", 41.01, 28.98}, {"johannesburg", -26.20, 28.05}, {"lagos", 6.52, 3.38}, {"london", 51.51, -0.13},
		{"los-angeles", 34.05, -118.24}, {"madrid", 40.42, -3.70}, {"miami", 25.76, -80.19}, {"milan", 45.46, 9.19},
		{"mumbai", 19.08, 72.88}, {"nairobi", -1.29, 36.82}, {"osaka", 34.69, 135.50}, {"paris", 48.86, 2.35},
		{"perth", -31.95, 115.86}, {"santiago", -33.45, -70.67}, {"sao-paulo", -23.55, -46.63}, {"seattle", 47.61, -122.33},
		{"singapore", 1.35, 103.82}, {"stockholm", 59.33, 18.07}, {"sydney", -33.87, 151.21}, {"tokyo", 35.68, 139.69},
	}
}

const (
	earthRadius = 6371.0    // km, mean
	lightSpeed  = 299_792.0 // km/s, in vacuum
	inFibre     = 2.0 / 3
	detour      = 1.5 // cables do not follow great circles
	// withinCity is one way between two nodes of one city.
	withinCity = 200 * time.Microsecond
)

// Delay returns how long a packet takes from one city to another.
func Delay(a, b City) time.Duration {
	if a == b {
		return withinCity
	}
	seconds := distance(a, b) / (lightSpeed * inFibre) * detour
	return time.Duration(seconds * float64(time.Second))
}

// distance returns the length of the great circle in km, by the haversine formula.
func distance(a, b City) float64 {
	rad := func(deg float64) float64 { return deg * math.Pi / 180 }
	dLat, dLon := rad(b.Lat-a.Lat)/2, rad(b.Lon-a.Lon)/2
	h := math.Sin(dLat)*math.Sin(dLat) + math.Cos(rad(a.Lat))*math.Cos(rad(b.Lat))*math.Sin(dLon)*math.Sin(dLon)
	return 2 * earthRadius * math.Asin(math.Sqrt(h))
}
