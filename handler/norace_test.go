//go:build !race

package handler

const memoryScale = 1
