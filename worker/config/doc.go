// Package config reads the worker's configuration file: what all clusters
// share, which stands in for flags, and the clusters that are watched, each
// with its own settings. docs/configuration.md documents it.
//
// What is wrong is told all at once, each with the path of the field, the value
// and the remedy. The file holds no secrets: it names the files that do.
package config
