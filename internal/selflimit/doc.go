// Package selflimit lets a worker process give up memory before it reads what strangers made: a file that makes an
// interpreter take all there is ends the worker, and not the machine.
//
// Call Memory once, first. It cannot be taken back.
package selflimit
