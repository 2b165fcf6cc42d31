# Reference values for parts of R² (LMG) with weights and standard errors of a design: every subset of predictors fitted by
# lm(weights=) and, for McFadden's R², by MASS::polr(weights=); the definition averaged over all orders. Standard errors: by
# survey::withReplicates on the jackknife, and by Taylor from numerical derivatives by each weight. Blocks: the definition on
# whole blocks, and Owen's division. Run by `make references` in this folder; writes importance_data.csv, importance.csv,
# importance.VERSIONS.
suppressMessages(library(survey))
suppressMessages(library(MASS))
set.seed(20260101)
n <- 240
d <- data.frame(stratum = rep(1:4, each = 60), psu = rep(1:24, each = 10), weight = round(runif(n, 1, 8), 3))
general <- rnorm(n) + rep(rnorm(24, 0, 0.4), each = 10)
for (name in c("a", "b", "c", "e")) d[[name]] <- round(general + rnorm(n), 2)
d$y <- round(0.6 * d$a + 0.3 * d$b + 0.1 * d$c + rnorm(n) + d$weight / 10, 2)
d$level <- as.integer(cut(d$y, c(-100, -1, 0, 1, 2, 100)))
write.csv(d, "importance_data.csv", row.names = FALSE)
predictors <- c("a", "b", "c", "e")

members <- function(s) predictors[bitwAnd(s, 2^(0:3)) > 0]
linear <- function(w, subset) {
  if (length(subset) == 0) return(0)
  d$w <- w
  summary(lm(reformulate(subset, "y"), d, weights = w))$r.squared
}
ordinal <- function(w, subset) {
  d$w <- w / mean(w)
  f <- function(s) {
    m <- polr(reformulate(if (length(s)) s else "1", "factor(level)"), d, weights = w,
              control = list(reltol = 1e-16, maxit = 10000))
    as.numeric(logLik(m))
  }
  suppressWarnings(1 - f(subset) / f(character(0)))
}
parts <- function(w, value) {
  v <- sapply(0:15, function(s) value(w, members(s)))
  sapply(1:4, function(j) {
    others <- setdiff(0:15, (0:15)[bitwAnd(0:15, 2^(j - 1)) > 0])
    size <- sapply(others, function(s) length(members(s)))
    sum(factorial(size) * factorial(3 - size) / factorial(4) * (v[others + 2^(j - 1) + 1] - v[others + 1]))
  })
}
out <- list()
add <- function(case, term, estimate, se = NA) {
  out[[length(out) + 1]] <<- data.frame(case = case, term = term, estimate = as.vector(estimate), se = as.vector(se))
}
design <- svydesign(~psu, strata = ~stratum, weights = ~weight, data = d)
jackknife <- as.svrepdesign(design, type = "JKn")
r <- withReplicates(jackknife, function(w, data) parts(w, linear))
add("linear_jackknife", predictors, coef(r), sqrt(diag(as.matrix(vcov(r)))))
r <- withReplicates(jackknife, function(w, data) { p <- parts(w, linear); p / sum(p) })
add("share_jackknife", predictors, coef(r), sqrt(diag(as.matrix(vcov(r)))))
r <- withReplicates(jackknife, function(w, data) linear(w, predictors))
add("r2_jackknife", "r2", coef(r), sqrt(as.numeric(vcov(r))))

taylor <- function(value, step) {
  z <- t(sapply(1:n, function(i) {
    up <- down <- d$weight
    up[i] <- up[i] + step
    down[i] <- down[i] - step
    (value(up) - value(down)) / (2 * step)
  }))
  sqrt(diag(vcov(svytotal(z, design))))  # svytotal multiplies by the weights: the sum of w times the derivative by w
}
lmg <- function(w) parts(w, linear)
add("linear_taylor", predictors, lmg(d$weight), taylor(lmg, 1e-3))
add("ordinal", predictors, parts(d$weight, ordinal))
add("unweighted", predictors, parts(rep(1, n), linear))

# Blocks {a, b}, {c}, {e}: the definition on whole blocks, and Owen's values of a and b.
blocks <- list(ab = c("a", "b"), c = "c", e = "e")
whole <- function(names) linear(d$weight, unlist(blocks[names]))
orders <- list(c(1, 2, 3), c(1, 3, 2), c(2, 1, 3), c(2, 3, 1), c(3, 1, 2), c(3, 2, 1))
add("blocks", names(blocks), sapply(1:3, function(j) mean(sapply(orders, function(o) {
  before <- names(blocks)[o[seq_len(which(o == j) - 1)]]
  whole(c(before, names(blocks)[j])) - whole(before)
}))))
add("owen", c("a", "b"), sapply(c("a", "b"), function(x) mean(sapply(orders, function(o) {
  before <- unlist(blocks[names(blocks)[o[seq_len(which(o == 1) - 1)]]])
  other <- setdiff(c("a", "b"), x)
  mean(c(linear(d$weight, c(before, x)) - linear(d$weight, before),
         linear(d$weight, c(before, other, x)) - linear(d$weight, c(before, other))))
}))))
# What a, b, c add beyond e, which is always in.
beyond <- function(s) linear(d$weight, c("e", s))
three <- c("a", "b", "c")
add("beyond_e", three, sapply(1:3, function(j) mean(sapply(orders, function(o) {
  before <- three[o[seq_len(which(o == j) - 1)]]
  beyond(c(before, three[j])) - beyond(before)
}))))

found <- do.call(rbind, out)
found$estimate <- sprintf("%.14e", found$estimate)
found$se <- ifelse(is.na(found$se), "", sprintf("%.14e", found$se))
write.csv(found, "importance.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste("survey", packageVersion("survey")), paste("MASS", packageVersion("MASS"))),
           "importance.VERSIONS")
