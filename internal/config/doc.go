// Package config turns a configuration file into validated values: YAML with
// ${NAME} from the environment in, a Config or every mistake with its line and
// column out.
//
// It decides nothing about how the settings are used. No other package than the
// one that assembles a node reads a Config; each has its own settings, which
// are filled from this one. For the same reason enumerations are typed strings
// here, as they stand in the file.
package config
