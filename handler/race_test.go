//go:build race

package handler

// memoryScale: the race detector keeps some of the memory that a program uses again.
const memoryScale = 2
