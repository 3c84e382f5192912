// Package house holds the rules of the house, as ordinary tests: who may import
// whom, where unsafe may stand, what must not compile, which laws the documents
// name. Every ban says what to do instead.
package house
