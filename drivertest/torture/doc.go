// Package torture has no code to import. Its tests kill, stop and continue processes
// that trade over two channels, at any instruction and at named ones, and judge what
// was said: nothing lost, invented, doubled, out of order or stuck, and never more
// values than slots.
package torture
