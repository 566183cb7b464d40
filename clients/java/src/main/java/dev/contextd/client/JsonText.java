package dev.contextd.client;

import dev.contextd.client.error.InvalidValueException;

/** Says whether a text is JSON (RFC 8259), without making anything of it. */
final class JsonText {
    private static final int DEPTH_MAX = 1000;

    private final String text;
    private int at;

    private JsonText(String text) {
        this.text = text;
    }

    /** Throws unless the text is one JSON value. */
    static void check(String text) throws InvalidValueException {
        JsonText reader = new JsonText(text);
        reader.blanks();
        reader.value(0);
        reader.blanks();
        if (reader.at < text.length()) {
            throw reader.invalid();
        }
    }

    private InvalidValueException invalid() {
        return Value.invalid("the value is no JSON: see its character " + at);
    }

    private char peek() {
        return at < text.length() ? text.charAt(at) : '\0';
    }

    private void blanks() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private void expect(String literal) {
        if (!text.startsWith(literal, at)) {
            throw invalid();
        }
        at += literal.length();
    }

    private void value(int depth) {
        if (depth > DEPTH_MAX) {
            throw Value.invalid("the JSON is nested more than " + DEPTH_MAX + " deep");
        }
        switch (peek()) {
            case '{' -> members('}', depth, true);
            case '[' -> members(']', depth, false);
            case '"' -> string();
            case 't' -> expect("true");
            case 'f' -> expect("false");
            case 'n' -> expect("null");
            default -> number();
        }
    }

    private void members(char end, int depth, boolean named) {
        at++;
        blanks();
        if (peek() == end) {
            at++;
            return;
        }
        while (true) {
            if (named) {
                string();
                blanks();
                expect(":");
                blanks();
            }
            value(depth + 1);
            blanks();
            if (peek() == end) {
                at++;
                return;
            }
            expect(",");
            blanks();
        }
    }

    private void string() {
        expect("\"");
        while (peek() != '"') {
            if (at >= text.length() || text.charAt(at) < ' ') {
                throw invalid();
            }
            if (text.charAt(at++) == '\\') {
                escape();
            }
        }
        at++;
    }

    private void escape() {
        char kind = peek();
        if ("\"\\/bfnrtu".indexOf(kind) < 0) {
            throw invalid();
        }
        at++;
        for (int digit = 0; kind == 'u' && digit < 4; digit++, at++) {
            if (Character.digit(peek(), 16) < 0 || peek() > 'f') {
                throw invalid();
            }
        }
    }

    private void number() {
        if (peek() == '-') {
            at++;
        }
        if (peek() == '0') {
            at++;
        } else {
            digits();
        }
        if (peek() == '.') {
            at++;
            digits();
        }
        if (peek() == 'e' || peek() == 'E') {
            at++;
            if (peek() == '+' || peek() == '-') {
                at++;
            }
            digits();
        }
    }

    private void digits() {
        int begin = at;
        while (peek() >= '0' && peek() <= '9') {
            at++;
        }
        if (at == begin) {
            throw invalid();
        }
    }
}
