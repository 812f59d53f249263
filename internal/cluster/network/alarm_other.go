//go:build !linux

package network

// Alarm returns an alarm that is not set.
func (System) Alarm() (Alarm, error) { return NewAlarm(), nil }
