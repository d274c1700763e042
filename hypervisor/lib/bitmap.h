/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bitmaps in arrays of 64-bit words. `size` is a number of bits, and a search that finds nothing
 * returns it. The plain functions are for one writer at a time; bitmap_atomic_* for any number.
 */
#define BITMAP_WORDS(size) (((size) + 63) / 64)

#define bitmap_for_each(bit, map, size)                                                            \
	for ((bit) = bitmap_find_next(map, size, 0); (bit) < (size);                               \
	     (bit) = bitmap_find_next(map, size, (bit) + 1))

static inline uint64_t bitmap_mask(size_t bit)
{
	return 1UL << (bit % 64);
}

static inline void bitmap_set(uint64_t *map, size_t bit)
{
	map[bit / 64] |= bitmap_mask(bit);
}

static inline void bitmap_clear(uint64_t *map, size_t bit)
{
	map[bit / 64] &= ~bitmap_mask(bit);
}

static inline bool bitmap_test(const uint64_t *map, size_t bit)
{
	return map[bit / 64] & bitmap_mask(bit);
}

static inline void bitmap_zero(uint64_t *map, size_t size)
{
	for (size_t i = 0; i < BITMAP_WORDS(size); i++)
		map[i] = 0;
}

/* Sets the first `size` bits and clears the rest of the last word. */
static inline void bitmap_fill(uint64_t *map, size_t size)
{
	for (size_t i = 0; i < BITMAP_WORDS(size); i++)
		map[i] = ~0UL;
	if (size % 64)
		map[size / 64] = bitmap_mask(size) - 1;
}

/* Word `i` of a map of `size` bits, without what lies past its end. */
static inline uint64_t bitmap_word(const uint64_t *map, size_t size, size_t i)
{
	uint64_t word = map[i];

	if (i == size / 64)
		word &= bitmap_mask(size) - 1;
	return word;
}

/* The first bit at or after `from` that is set, after every word is XORed with `flip`. */
static inline size_t bitmap_search(const uint64_t *map, size_t size, size_t from, uint64_t flip)
{
	uint64_t ignored = bitmap_mask(from) - 1;

	for (size_t i = from / 64; i < BITMAP_WORDS(size); i++, ignored = 0) {
		uint64_t word = (map[i] ^ flip) & ~ignored;

		if (word) {
			size_t bit = i * 64 + (size_t)__builtin_ctzl(word);

			return bit < size ? bit : size;
		}
	}
	return size;
}

static inline size_t bitmap_find_next(const uint64_t *map, size_t size, size_t from)
{
	return bitmap_search(map, size, from, 0);
}

static inline size_t bitmap_find_first(const uint64_t *map, size_t size)
{
	return bitmap_search(map, size, 0, 0);
}

static inline size_t bitmap_find_next_clear(const uint64_t *map, size_t size, size_t from)
{
	return bitmap_search(map, size, from, ~0UL);
}

static inline bool bitmap_empty(const uint64_t *map, size_t size)
{
	return bitmap_find_first(map, size) == size;
}

static inline size_t bitmap_count(const uint64_t *map, size_t size)
{
	size_t count = 0;

	for (size_t i = 0; i < BITMAP_WORDS(size); i++) {
		uint64_t word = bitmap_word(map, size, i);

		for (; word; word &= word - 1)
			count++;
	}
	return count;
}

static inline bool bitmap_equal(const uint64_t *a, const uint64_t *b, size_t size)
{
	for (size_t i = 0; i < BITMAP_WORDS(size); i++)
		if (bitmap_word(a, size, i) != bitmap_word(b, size, i))
			return false;
	return true;
}

static inline void bitmap_atomic_set(uint64_t *map, size_t bit)
{
	__atomic_fetch_or(&map[bit / 64], bitmap_mask(bit), __ATOMIC_SEQ_CST);
}

static inline void bitmap_atomic_clear(uint64_t *map, size_t bit)
{
	__atomic_fetch_and(&map[bit / 64], ~bitmap_mask(bit), __ATOMIC_SEQ_CST);
}

/* The next two return what the bit was before. */
static inline bool bitmap_atomic_test_and_set(uint64_t *map, size_t bit)
{
	return __atomic_fetch_or(&map[bit / 64], bitmap_mask(bit), __ATOMIC_SEQ_CST) &
	       bitmap_mask(bit);
}

static inline bool bitmap_atomic_test_and_clear(uint64_t *map, size_t bit)
{
	return __atomic_fetch_and(&map[bit / 64], ~bitmap_mask(bit), __ATOMIC_SEQ_CST) &
	       bitmap_mask(bit);
}

static inline bool bitmap_atomic_test(const uint64_t *map, size_t bit)
{
	return __atomic_load_n(&map[bit / 64], __ATOMIC_SEQ_CST) & bitmap_mask(bit);
}

#endif
