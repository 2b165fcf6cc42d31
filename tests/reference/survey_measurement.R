# Reference values for reliability, factor structure and item functioning on a stratified two-stage sample with weights,
# six five-point items on two factors, a group and missing answers; and on the same answers without a design.
# Run by `make references` in this folder; writes survey_measurement_data.csv, survey_measurement.csv and .VERSIONS.
# Needs the Debian packages r-cran-survey, r-cran-mass, r-cran-psych, r-cran-lavaan, r-cran-polycor, r-cran-gparotation.
suppressMessages({library(survey); library(MASS); library(psych); library(lavaan); library(polycor)})
set.seed(20261122)
n <- 480
d <- data.frame(person = 1:n, stratum = rep(1:4, each = 120), ward = rep(1:24, each = 20), gender = rbinom(n, 1, 0.5))
d$weight <- round(c(20, 35, 50, 80)[d$stratum] * runif(n, 0.7, 1.4), 2)
d$n_wards <- c(40, 60, 90, 150)[d$stratum]
d$n_people <- 400 + 10 * d$ward
f1 <- rnorm(n) + rnorm(24, 0, 0.4)[d$ward]
f2 <- 0.5 * f1 + rnorm(n)
strength <- c(1.2, 0.9, 1.4, 1.1, 0.8, 1.5)
for (j in 1:6) {
  latent <- strength[j] * (if (j <= 3) f1 else f2) + (if (j == 2) 0.9 * d$gender else 0) + rlogis(n)
  d[[paste0("q", j)]] <- as.integer(cut(latent, c(-Inf, -2.5, -1, 0.6, 2.4, Inf)))
}
d$q1[sample(n, 15)] <- NA
d$q5[sample(n, 20)] <- NA
write.csv(d, "survey_measurement_data.csv", row.names = FALSE, quote = FALSE)

out <- list()
add <- function(case, name, value) {
  out[[length(out) + 1]] <<- data.frame(case = case, name = as.character(name), value = as.vector(value))
}
items <- paste0("q", 1:6)
first <- items[1:3]

# Alpha and omega of q1..q3 with the design: R survey's covariances, the delta method by numerical derivatives.
design <- svydesign(~ward + person, strata = ~stratum, weights = ~weight, fpc = ~n_wards + n_people, data = d)
whole <- subset(design, !is.na(q1))
v <- svyvar(~q1 + q2 + q3, whole)
alpha_of <- function(s) { s <- matrix(s, 3); 3 / 2 * (1 - sum(diag(s)) / sum(s)) }
omega_of <- function(s) {  # three items: the one-factor model is exact
  s <- matrix(s, 3)
  l <- c(sqrt(s[1, 2] * s[1, 3] / s[2, 3]), sqrt(s[1, 2] * s[2, 3] / s[1, 3]), sqrt(s[1, 3] * s[2, 3] / s[1, 2]))
  sum(l)^2 / sum(s)
}
for (name in c("alpha", "omega")) {
  f <- list(alpha = alpha_of, omega = omega_of)[[name]]
  g <- numDeriv::grad(f, as.vector(coef(v)))
  add("design", c(name, paste0(name, "_se")), c(f(coef(v)), sqrt(t(g) %*% vcov(v) %*% g)))
}
add("design", "df", degf(design))

# The same without a design, four items and more: lavaan's robust standard errors by the observed information.
x <- na.omit(d[, items])
fit <- cfa("a =~ q1 + q2 + q3\nb =~ q4 + q5 + q6", x, estimator = "MLR", information = "observed",
           observed.information = "hessian", std.lv = TRUE)
s <- standardizedSolution(fit)
load <- s[s$op == "=~", ]
add("cfa", paste0("loading_", load$rhs), load$est.std)
add("cfa", paste0("se_", load$rhs), load$se)
ab <- s[s$lhs == "a" & s$rhs == "b", ]
add("cfa", c("phi", "phi_se"), c(ab$est.std, ab$se))
fit <- cfa("a =~ q1 + q2 + q3\nb =~ q4 + q5 + q6", x, estimator = "ML", test = "scaled.shifted", std.lv = TRUE,
           meanstructure = FALSE)
m <- fitMeasures(fit)
keep <- c("chisq", "df", "pvalue", "cfi", "tli", "rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "srmr", "chisq.scaled",
          "baseline.chisq", "baseline.chisq.scaled")
add("cfa", keep, m[keep])
add("cfa", "n", nrow(x))

# Two-step polychoric correlations of weighted tables.
pairs <- list(c("q1", "q2"), c("q2", "q6"), c("q4", "q5"))
for (p in pairs) {
  t <- xtabs(d$weight ~ d[[p[1]]] + d[[p[2]]])
  t <- t / sum(t) * 500
  # polychor takes thresholds from the table's margins and stops early: optimise its likelihood closely instead
  rows <- qnorm(cumsum(rowSums(t) / sum(t))[1:4]); cols <- qnorm(cumsum(colSums(t) / sum(t))[1:4])
  add("polychoric", paste(p, collapse = "_"),
      optimise(function(r) -sum(t * log(polycor:::binBvn(r, rows, cols))), c(-0.99, 0.99), tol = 1e-12)$minimum)
}

# Exploratory factors.
r <- cor(x)
ml <- factanal(covmat = r, factors = 2, n.obs = nrow(x), rotation = "none", control = list(nstart = 3, opt = list(factr = 10)))
a <- unclass(ml$loadings)
vm <- unclass(varimax(a, eps = 1e-15)$loadings)
dimnames(vm) <- NULL
pm <- promax(vm)
ob <- GPArotation::oblimin(a, eps = 1e-8, maxit = 20000)
put <- function(case, l) for (j in 1:2) add(case, paste0("F", j, "_", items), l[, j])
order_of <- function(l) { l <- l[, order(-colSums(l^2))]; sweep(l, 2, sign(colSums(l)), "*") }
put("varimax", order_of(vm)); put("promax", order_of(unclass(pm$loadings))); put("oblimin", order_of(unclass(ob$loadings)))
add("oblimin", "phi", abs(ob$Phi[1, 2]))
mr <- fa(r, 2, n.obs = nrow(x), fm = "minres", rotate = "none")
add("minres", items, mr$communality)
k <- KMO(r)
add("adequacy", c("kmo", paste0("msa_", items)), c(k$MSA, k$MSAi))
b <- cortest.bartlett(r, nrow(x))
add("adequacy", c("bartlett", "df"), c(b$chisq, b$df))
al <- psych::alpha(x[, 4:6], warnings = FALSE)
add("alpha", c("raw_alpha", "std.alpha", "G6", "average_r"), unlist(al$total[c("raw_alpha", "std.alpha", "G6(smc)", "average_r")]))
add("alpha", paste0("drop_", items[4:6]), al$alpha.drop$raw_alpha)
add("alpha", paste0("rest_", items[4:6]), al$item.stats$r.drop)

# Differential item functioning of q1..q6 between genders, matched on their mean: likelihood ratios of polr, Nagelkerke.
y <- na.omit(d)
y$score <- scale(rowMeans(y[, items]))[, 1]
close <- list(reltol = 1e-16, maxit = 10000)
nagelkerke <- function(fit, null, n) (1 - exp((fit$deviance - null$deviance) / n)) / (1 - exp(-null$deviance / n))
for (q in items) {
  y$item <- factor(y[[q]], ordered = TRUE)
  m <- lapply(c("1", "score", "score + gender", "score * gender"), function(f)
    polr(as.formula(paste("item ~", f)), y, control = close))
  add("dif", paste0(c("uniform_", "nonuniform_"), q), c(m[[2]]$deviance - m[[3]]$deviance, m[[3]]$deviance - m[[4]]$deviance))
  add("dif", paste0(c("effect_uniform_", "effect_any_"), q),
      c(nagelkerke(m[[3]], m[[1]], nrow(y)) - nagelkerke(m[[2]], m[[1]], nrow(y)),
        nagelkerke(m[[4]], m[[1]], nrow(y)) - nagelkerke(m[[2]], m[[1]], nrow(y))))
}
# And by the design: Wald tests of svyolr with an exact Hessian; the weighted score.
design <- update(design, score = rowMeans(d[, items]))
design <- subset(design, !is.na(score))
mu <- coef(svymean(~score, design))
w <- weights(design); z <- design$variables$score
spread <- sqrt(sum(w * (z - mu)^2) / sum(w))
design <- update(design, z = (score - mu) / spread)
for (q in items) {
  design$variables$item <- factor(design$variables[[q]], ordered = TRUE)
  u <- svyolr(item ~ z + gender, design, control = list(reltol = 1e-16, maxit = 10000, ndeps = rep(1e-5, 6)))
  p <- svyolr(item ~ z * gender, design, control = list(reltol = 1e-16, maxit = 10000, ndeps = rep(1e-5, 7)))
  add("dif_design", paste0(c("estimate_", "se_", "df_"), q), c(coef(u)["gender"], sqrt(vcov(u)["gender", "gender"]), u$df.residual))
  add("dif_design", paste0("t_nonuniform_", q), coef(p)["z:gender"] / sqrt(vcov(p)["z:gender", "z:gender"]))
}
result <- do.call(rbind, out)
result$value <- format(result$value, digits = 15, trim = TRUE, scientific = TRUE)
write.csv(result, "survey_measurement.csv", row.names = FALSE, quote = FALSE)
versions <- sapply(c("survey", "MASS", "psych", "lavaan", "polycor", "GPArotation"), function(p) paste(p, packageVersion(p)))
writeLines(c(R.version.string, versions), "survey_measurement.VERSIONS")
