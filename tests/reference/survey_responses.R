# Reference values for the treatment of respondents and non-respondents: indices of careless answers, weighting classes
# for non-response, partial proportional odds. Numbers come from R's survey, psych and VGAM and from base R.
# Run by `make references` in this folder; writes survey_responses_data.csv, survey_responses.csv, .VERSIONS.
suppressMessages({library(survey); library(psych); library(VGAM)})
set.seed(20261123)

# Four strata of wards; an answer on five levels, six items in three blocks, and who responded.
n <- 480
d <- data.frame(stratum = rep(1:4, each = 120), ward = rep(1:40, each = 12), person = 1:n)
d$w <- round(runif(n, 2, 9), 3)
d$online <- rbinom(n, 1, 0.4)
d$age <- round(rnorm(n, 45, 12), 1)
d$area <- c("north", "south", "west")[1 + (d$ward %% 3)]
effect <- rep(rnorm(40, 0, 0.5), each = 12)
latent <- effect + 0.02 * (d$age - 45) + rlogis(n)
d$y <- 1 + (latent + 0.3 * d$online > -2) + (latent + 0.9 * d$online > -0.8) + (latent + 1.6 * d$online > 0.7)
general <- rnorm(n)
for (item in 1:6) d[[paste0("i", item)]] <- pmin(5, pmax(1, round(3.4 + general + rnorm(n, 0, c(0.5, 0.7, 0.9, 1.1, 0.6, 1.2)[item]))))
chance <- plogis(1.2 - 0.5 * d$online + 0.4 * (d$area == "north") + 0.3 * effect)
d$came <- rbinom(n, 1, chance)
write.csv(d, "survey_responses_data.csv", row.names = FALSE)

out <- list()
keep <- function(case, name, value, se = NA) {
  out[[length(out) + 1]] <<- data.frame(case = case, name = as.character(name), value = value, se = se)
}

# --- careless answers: psych::outlier, base R for the rest
items <- paste0("i", 1:6)
x <- as.matrix(d[1:60, items])
keep("mahad", 1:60, as.numeric(outlier(x, plot = FALSE, bad = 0)))
keep("irv", 1:60, apply(x, 1, sd))
runs <- apply(x, 1, function(row) rle(row)$lengths)
keep("longstring", 1:60, sapply(runs, max))
keep("avgstr", 1:60, sapply(runs, mean))
pairs <- which(lower.tri(cor(x)) & cor(x) > 0.6, arr.ind = TRUE)
keep("pairs", "n", nrow(pairs))
keep("psychsyn", 1:60, suppressWarnings(apply(x, 1, function(row) cor(row[pairs[, 1]], row[pairs[, 2]]))))
even_odd <- function(row) {
  r <- suppressWarnings(cor(row[c(2, 4, 6)], row[c(1, 3, 5)]))
  -max(2 * r / (1 + r), -1)
}
keep("evenodd", 1:60, apply(x, 1, even_odd))

# --- non-response in classes: linearised with svycontrast, and the jackknife with classes adjusted in each replicate
d$cell <- paste(d$area, d$online)
des <- svydesign(id = ~ward, strata = ~stratum, weights = ~w, data = d, nest = TRUE)
cells <- sort(unique(d$cell))
adjust <- function(w) {
  f <- tapply(w, d$cell, sum) / tapply(w * d$came, d$cell, sum)
  w * d$came * f[d$cell]
}
parts <- des
for (k in seq_along(cells)) {
  inside <- as.numeric(d$cell == cells[k])
  parts$variables[[paste0("a", k)]] <- inside
  parts$variables[[paste0("r", k)]] <- inside * d$came
  parts$variables[[paste0("t", k)]] <- inside * d$came * d$y
  parts$variables[[paste0("s", k)]] <- inside * d$came * d$y * (d$age > 45)
  parts$variables[[paste0("m", k)]] <- inside * d$came * (d$age > 45)
}
names_of <- function(letter) paste0(letter, seq_along(cells))
totals <- svytotal(reformulate(unlist(lapply(c("a", "r", "t", "s", "m"), names_of))), parts)
summed <- function(letter) paste(sprintf("a%d / r%d * %s%d", seq_along(cells), seq_along(cells), letter, seq_along(cells)),
                                 collapse = " + ")
quotient <- function(top, bottom) parse(text = sprintf("(%s) / (%s)", top, bottom))[[1]]
everybody <- paste(names_of("a"), collapse = " + ")
linear <- svycontrast(totals, list(mean = quotient(summed("t"), everybody), older = quotient(summed("s"), summed("m"))))
keep("taylor", names(coef(linear)), coef(linear), SE(linear))
total <- svycontrast(totals, list(total = parse(text = summed("t"))[[1]]))
keep("taylor", "total", coef(total), SE(total))
rep <- as.svrepdesign(des, type = "JKn", mse = FALSE)
jack <- withReplicates(rep, function(w, data) {
  v <- adjust(w)
  c(mean = sum(v * d$y) / sum(v), older = sum(v * d$y * (d$age > 45)) / sum(v * (d$age > 45)), total = sum(v * d$y))
})
keep("jackknife", c("mean", "older", "total"), coef(jack), SE(jack))
sex <- c(0.55, 0.45) * 2600  # poststratified afterwards, in every replicate too
post <- withReplicates(rep, function(w, data) {
  v <- adjust(w)
  v <- v * (sex / tapply(v, d$online, sum))[d$online + 1]
  c(mean = sum(v * d$y) / sum(v))
})
keep("poststratified", "mean", coef(post), SE(post))

# --- partial proportional odds: VGAM without a design, and the same influence values over the design
free <- function(formula) vglm(ordered(y) ~ online + age, cumulative(parallel = formula, reverse = FALSE), data = d,
                               weights = w / mean(w), crit = "coefficients", epsilon = 1e-11, maxit = 100)
write_fit <- function(case, fit, flip) {
  b <- coef(fit)
  keep(case, names(b), ifelse(grepl("Intercept", names(b)), b, -b))
  keep(case, "loglik", sum(with(d, w / mean(w) * log(fitted(fit)[cbind(1:n, y)]))))
}
write_fit("vgam_online", free(FALSE ~ online))
write_fit("vgam_both", free(FALSE ~ online + age))
probit <- vglm(ordered(y) ~ online + age, cumulative(link = "probitlink", parallel = FALSE ~ online), data = d,
               weights = w / mean(w), crit = "coefficients", epsilon = 1e-11, maxit = 100)
write_fit("vgam_probit", probit)

# Numerical scores of every respondent at VGAM's coefficients; their totals over the design give the covariance.
fit <- free(FALSE ~ online)
b <- coef(fit)
p_of <- function(b) {
  q <- sapply(1:3, function(k) b[k] + b[paste0("online:", k)] * d$online + b["age"] * d$age)
  cbind(plogis(q[, 1]), plogis(q[, 2]) - plogis(q[, 1]), plogis(q[, 3]) - plogis(q[, 2]), 1 - plogis(q[, 3]))
}
each <- function(b) log(p_of(b)[cbind(1:n, d$y)])
slope <- function(f, b, h = 1e-4) sapply(seq_along(b), function(j) {
  s <- h * max(1, abs(b[j])) * (seq_along(b) == j) / ifelse(names(b)[j] == "age", 45, 1)
  (8 * (f(b + s) - f(b - s)) - (f(b + 2 * s) - f(b - 2 * s))) / (12 * s[j])
})
scores <- slope(each, b)
hessian <- slope(function(b) colSums(d$w * slope(each, b)), b)
influence <- d$w * scores %*% solve(-(hessian + t(hessian)) / 2)
variance <- svyrecvar(influence, des$cluster, des$strata, des$fpc)
keep("design_online", names(b), ifelse(grepl("Intercept", names(b)), b, -b), sqrt(diag(variance)))

result <- do.call(rbind, out)
for (column in c("value", "se")) result[[column]] <- format(result[[column]], digits = 15, trim = TRUE, scientific = TRUE)
write.csv(result, "survey_responses.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste("survey", packageVersion("survey")), paste("psych", packageVersion("psych")),
             paste("VGAM", packageVersion("VGAM"))), "survey_responses.VERSIONS")
