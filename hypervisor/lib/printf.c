// SPDX-License-Identifier: BSD-2-Clause
/*
 * Text formatting.
 *
 * Interface: format_string() takes a va_list, snprintf() takes arguments. No floating point, no %n.
 * Locks: none; nothing here allocates or keeps state.
 * Odd: a null string prints as (null). %p prints all 16 digits, so that columns line up.
 */
#include "printf.h"

#include <stdbool.h>
#include <stdint.h>

/* Where the text goes. `length` counts on past `size`, to tell the length it should have had. */
struct output {
	char *buffer;
	size_t size;
	size_t length;
};

/* One conversion: what stands between '%' and its letter. */
struct conversion {
	bool left;
	bool zero;
	bool plus;
	bool space;
	bool prefix;
	int width;
	int precision; /* -1: none given */
	int bytes;     /* size of the integer argument */
};

static void put(struct output *out, char c)
{
	if (out->length + 1 < out->size)
		out->buffer[out->length] = c;
	out->length++;
}

static void put_repeated(struct output *out, char c, int count)
{
	while (count-- > 0)
		put(out, c);
}

static void put_text(struct output *out, const char *text, int length)
{
	for (int i = 0; i < length; i++)
		put(out, text[i]);
}

static void put_padded(struct output *out, const struct conversion *conversion, const char *text,
		       int length)
{
	int padding = conversion->width - length;

	if (!conversion->left)
		put_repeated(out, ' ', padding);
	put_text(out, text, length);
	if (conversion->left)
		put_repeated(out, ' ', padding);
}

static void put_string(struct output *out, const struct conversion *conversion, const char *text)
{
	int length = 0;

	if (!text)
		text = "(null)";
	while (length != conversion->precision && length < INT32_MAX && text[length])
		length++;
	put_padded(out, conversion, text, length);
}

/* `prefix` is a sign or 0x. Zeros come from the precision, or from the 0 flag and the width. */
static void put_number(struct output *out, const struct conversion *conversion, uint64_t value,
		       unsigned int base, const char *letters, const char *prefix)
{
	char digits[22];
	int at = sizeof(digits);
	int length, prefix_length = 0, zeros = 0, padding;

	while (value) {
		digits[--at] = letters[value % base];
		value /= base;
	}
	if (at == sizeof(digits) && conversion->precision != 0)
		digits[--at] = '0';
	length = sizeof(digits) - at;
	while (prefix[prefix_length])
		prefix_length++;
	if (conversion->precision >= 0)
		zeros = conversion->precision - length;
	else if (conversion->zero && !conversion->left)
		zeros = conversion->width - length - prefix_length;
	if (zeros < 0)
		zeros = 0;
	padding = conversion->width - length - prefix_length - zeros;

	if (!conversion->left)
		put_repeated(out, ' ', padding);
	put_text(out, prefix, prefix_length);
	put_repeated(out, '0', zeros);
	put_text(out, digits + at, length);
	if (conversion->left)
		put_repeated(out, ' ', padding);
}

static void put_signed(struct output *out, const struct conversion *conversion, int64_t value)
{
	uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
	const char *sign = "";

	if (value < 0)
		sign = "-";
	else if (conversion->plus)
		sign = "+";
	else if (conversion->space)
		sign = " ";
	put_number(out, conversion, magnitude, 10, "0123456789", sign);
}

static void put_hexadecimal(struct output *out, const struct conversion *conversion, uint64_t value,
			    bool capital)
{
	const char *prefix = "";

	if (conversion->prefix && value)
		prefix = capital ? "0X" : "0x";
	put_number(out, conversion, value, 16, capital ? "0123456789ABCDEF" : "0123456789abcdef",
		   prefix);
}

static void put_pointer(struct output *out, const struct conversion *conversion, uint64_t value)
{
	struct conversion wide = *conversion;

	wide.precision = 16;
	put_number(out, &wide, value, 16, "0123456789abcdef", "");
}

static int64_t next_signed(const struct conversion *conversion, va_list *arguments)
{
	if (conversion->bytes == 8)
		return va_arg(*arguments, int64_t);
	if (conversion->bytes == 4)
		return va_arg(*arguments, int);
	if (conversion->bytes == 2)
		return (short)va_arg(*arguments, int);
	return (signed char)va_arg(*arguments, int);
}

static uint64_t next_unsigned(const struct conversion *conversion, va_list *arguments)
{
	if (conversion->bytes == 8)
		return va_arg(*arguments, uint64_t);
	if (conversion->bytes == 4)
		return va_arg(*arguments, unsigned int);
	if (conversion->bytes == 2)
		return (unsigned short)va_arg(*arguments, unsigned int);
	return (unsigned char)va_arg(*arguments, unsigned int);
}

static const char *read_flags(struct conversion *conversion, const char *f)
{
	for (;; f++) {
		if (*f == '-')
			conversion->left = true;
		else if (*f == '0')
			conversion->zero = true;
		else if (*f == '+')
			conversion->plus = true;
		else if (*f == ' ')
			conversion->space = true;
		else if (*f == '#')
			conversion->prefix = true;
		else
			return f;
	}
}

/* A decimal number or `*`. A width that makes no sense is cut at 1000. */
static const char *read_number(int *number, const char *f, va_list *arguments)
{
	*number = 0;
	if (*f == '*') {
		*number = va_arg(*arguments, int);
		f++;
	}
	while (*f >= '0' && *f <= '9') {
		if (*number < 1000)
			*number = *number * 10 + (*f - '0');
		f++;
	}
	if (*number > 1000)
		*number = 1000;
	return f;
}

static const char *read_width(struct conversion *conversion, const char *f, va_list *arguments)
{
	f = read_number(&conversion->width, f, arguments);
	if (conversion->width < 0) {
		conversion->left = true;
		conversion->width = conversion->width < -1000 ? 1000 : -conversion->width;
	}
	conversion->precision = -1;
	if (*f == '.')
		f = read_number(&conversion->precision, f + 1, arguments);
	return f;
}

static const char *read_size(struct conversion *conversion, const char *f)
{
	conversion->bytes = sizeof(int);
	switch (*f) {
	case 'h':
		conversion->bytes = f[1] == 'h' ? 1 : 2;
		return f + conversion->bytes % 2 + 1;
	case 'l':
		conversion->bytes = 8;
		return f + (f[1] == 'l' ? 2 : 1);
	case 'z':
	case 't':
	case 'j':
		conversion->bytes = 8;
		return f + 1;
	}
	return f;
}

/* Returns false for a letter it does not know. */
static bool put_conversion(struct output *out, const struct conversion *conversion, char letter,
			   va_list *arguments)
{
	char c;

	switch (letter) {
	case 'd':
	case 'i':
		put_signed(out, conversion, next_signed(conversion, arguments));
		return true;
	case 'u':
		put_number(out, conversion, next_unsigned(conversion, arguments), 10, "0123456789",
			   "");
		return true;
	case 'o':
		put_number(out, conversion, next_unsigned(conversion, arguments), 8, "01234567",
			   "");
		return true;
	case 'x':
	case 'X':
		put_hexadecimal(out, conversion, next_unsigned(conversion, arguments),
				letter == 'X');
		return true;
	case 'p':
		put_pointer(out, conversion, (uintptr_t)va_arg(*arguments, void *));
		return true;
	case 's':
		put_string(out, conversion, va_arg(*arguments, const char *));
		return true;
	case 'c':
		c = (char)va_arg(*arguments, int);
		put_padded(out, conversion, &c, 1);
		return true;
	case '%':
		put(out, '%');
		return true;
	}
	return false;
}

int format_string(char *buffer, size_t size, const char *format, va_list arguments)
{
	struct output out = { .buffer = buffer, .size = size };
	va_list copy;

	va_copy(copy, arguments);
	while (*format) {
		struct conversion conversion = { 0 };
		const char *start = format;

		if (*format++ != '%') {
			put(&out, *start);
			continue;
		}
		format = read_flags(&conversion, format);
		format = read_width(&conversion, format, &copy);
		format = read_size(&conversion, format);
		if (*format && put_conversion(&out, &conversion, *format, &copy))
			format++;
		else
			put_text(&out, start, (int)(format - start));
	}
	va_end(copy);
	if (size)
		buffer[out.length < size ? out.length : size - 1] = '\0';
	return (int)out.length;
}

int snprintf(char *buffer, size_t size, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = format_string(buffer, size, format, arguments);
	va_end(arguments);
	return length;
}
