# Standardised ratios, funnel limits and shrinkage of R, for units.csv.
# Rscript tests/reference/units.R in the root of the checkout; versions in units.VERSIONS.
library(MASS)
set.seed(5)
m <- 40
n <- sample(30:900, m, TRUE)
expected <- n * runif(m, .02, .08)
observed <- rpois(m, expected * rgamma(m, 6, 6))
byar <- function(o, z) list(low = o * (1 - 1 / (9 * o) - z / (3 * sqrt(o)))^3,
                            high = (o + 1) * (1 - 1 / (9 * (o + 1)) + z / (3 * sqrt(o + 1)))^3)
limit <- function(p, n, t) {   # Spiegelhalter (2005), A.1.1
  r <- qbinom(p, n, t)
  (r - (pbinom(r, n, t) - p) / dbinom(r, n, t)) / n
}
z <- (observed - expected) / sqrt(expected)
b <- quantile(z, c(.1, .9))
phi <- mean(pmin(pmax(z, b[1]), b[2])^2)
w <- expected
tau2 <- (m * phi - (m - 1)) / (sum(w) - sum(w^2) / sum(w))
nb <- glm.nb(observed ~ 1 + offset(log(expected)), control = glm.control(epsilon = 1e-12, maxit = 500))
mu <- exp(coef(nb)[[1]]); a <- nb$theta
out <- data.frame(
  n, observed, expected,
  exact_low = qchisq(.025, 2 * observed) / 2, exact_high = qchisq(.975, 2 * observed + 2) / 2,
  byar_low = ifelse(observed > 0, byar(observed, qnorm(.975))$low, 0), byar_high = byar(observed, qnorm(.975))$high,
  limit_low = pmax(limit(.025, n, .05), 0), limit_high = limit(.975, n, .05),
  far_low = pmax(limit(.001, n, .05), 0), far_high = limit(.999, n, .05),
  pooled = (observed + a) / (expected + a / mu), pooled_low = qgamma(.025, observed + a, expected + a / mu),
  pooled_high = qgamma(.975, observed + a, expected + a / mu),
  change = (observed / expected) / rev(observed / expected),
  change_low = sapply(1:m, function(i) poisson.test(c(observed[i], rev(observed)[i]), c(expected[i], rev(expected)[i]))$conf.int[1]),
  change_high = sapply(1:m, function(i) poisson.test(c(observed[i], rev(observed)[i]), c(expected[i], rev(expected)[i]))$conf.int[2]),
  phi, tau2, theta = a, mu)
write.csv(out, "tests/reference/units.csv", row.names = FALSE)
writeLines(c(R.version.string, paste("MASS", packageVersion("MASS"))), "tests/reference/units.VERSIONS")
