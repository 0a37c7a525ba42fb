fn primes(limit: u32) -> Vec<u32> {
    (2..=limit).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0)).collect()
}

fn main() {
    let limit = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(10);
    println!("primes {} up to {}: {:?}", env!("CARGO_PKG_VERSION"), limit, primes(limit));
}

#[test]
fn knows_the_first_ones() {
    assert_eq!(primes(12), [2, 3, 5, 7, 11]);
}
