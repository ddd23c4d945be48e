//! A text, small, in characters that a page can hold: deflate, then base64.

/// How hard the packer tries, from 0 to 10.
const LEVEL: u8 = 9;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The bytes in the format of zlib (what browsers call "deflate"), as base64.
pub(super) fn pack(bytes: &[u8]) -> String {
    base64(&miniz_oxide::deflate::compress_to_vec_zlib(bytes, LEVEL))
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            if place > chunk.len() {
                text.push('=');
            } else {
                let digit = (bits >> (18 - 6 * place)) & 63;
                text.push(char::from(ALPHABET[digit as usize]));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        let cases = ["", "f", "fo", "foo", "foob", "fooba", "foobar"];
        let expected = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        assert_eq!(cases.map(|case| base64(case.as_bytes())), expected.map(str::to_owned));
    }

    #[test]
    fn what_is_packed_is_small_and_comes_out_again() {
        let text = "{\"fact\":\"BatchAppended\"}\n".repeat(1000);
        let packed = miniz_oxide::deflate::compress_to_vec_zlib(text.as_bytes(), LEVEL);
        assert!(packed.len() * 20 < text.len(), "{}", packed.len());
        let again = miniz_oxide::inflate::decompress_to_vec_zlib(&packed).expect("it is whole");
        assert_eq!(again, text.as_bytes());
    }
}
