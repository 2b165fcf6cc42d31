# Reference values of R's survey package for quantiles, tables, tests between groups and population variances on a
# two-stage sample with finite population corrections: satisfaction on five points, days of waiting, age and sex.
# Run by `make references` in this folder; writes survey_tables_data.csv, survey_tables.csv and survey_tables.VERSIONS.
suppressMessages(library(survey))
set.seed(20261123)

# A population of 3 districts, wards in them, households in wards; wards, then households drawn without replacement.
rows <- list()
for (h in 1:3) {
  n_wards <- c(14, 9, 20)[h]
  for (ward in sort(sample(n_wards, c(6, 4, 8)[h]))) {
    n_households <- 60 + 7 * ward
    asked <- 9 + (ward + h) %% 5
    warmth <- rnorm(1, h / 4, 0.5)
    age <- sample(c("18-34", "35-59", "60+"), asked, replace = TRUE, prob = c(3, 4, 2 + (ward %% 2)))
    days <- round(exp(rnorm(asked, 1.6 - warmth / 3 + (age == "60+") / 4, 0.6)), 1)
    latent <- rnorm(asked, warmth + 3.2 - log(days) / 2 + (age == "60+") / 2, 1)
    rows[[length(rows) + 1]] <- data.frame(
      district = h, ward = ward, household = sort(sample(n_households, asked)), n_wards = n_wards,
      n_households = n_households, age = age, sex = sample(c("female", "male"), asked, replace = TRUE),
      days = days, q = pmin(5, pmax(1, round(latent)))
    )
  }
}
d <- do.call(rbind, rows)
m <- aggregate(ward ~ district, unique(d[c("district", "ward")]), length)
k <- aggregate(household ~ district + ward, d, length)
d$weight <- with(d, n_wards / m$ward[match(district, m$district)] *
  n_households / k$household[match(paste(district, ward), paste(k$district, k$ward))])
d$weight <- round(d$weight * runif(nrow(d), 0.7, 1.4), 3)
d$days[c(11, 95)] <- NA
d$q[c(3, 60, 61)] <- NA
write.csv(d, "survey_tables_data.csv", row.names = FALSE, quote = FALSE)

out <- list()
put <- function(case, what, ...) {
  value <- c(...)
  out[[length(out) + 1]] <<- data.frame(case = case, what = what, place = seq_along(value), value = as.vector(value))
}
# Not asked for, since survey 4.1 answers what nobody would want: shares below that of the smallest value (it gives the
# second smallest, or one below the smallest) and lines between equal answers (rounding may leave the answer itself out).
rules <- c("math", "school", "hf4", "hf5", "hf6", "hf7", "hf8", "hf9", "shahvaish")
quantiles <- function(name, design, variable, probs, rules) {
  for (rule in rules) for (type in c("mean", "beta")) {
    found <- svyquantile(as.formula(paste0("~", variable)), design, probs, qrule = rule, interval.type = type,
                         na.rm = TRUE)[[1]]
    case <- paste(name, variable, rule, type)
    put(case, "prob", probs)
    for (column in 1:4) put(case, c("estimate", "low", "high", "se")[column], found[, column])
  }
}
tables <- function(name, design) for (pair in c("age+sex", "age+q", "q+sex")) {
  f <- as.formula(paste0("~", pair))
  put(paste(name, pair), "table", t(unclass(svytable(f, design))))
  for (s in c("F", "Chisq", "Wald", "adjWald", "saddlepoint")) {
    test <- svychisq(f, design, statistic = s)
    put(paste(name, pair), s, test$statistic, if (s != "saddlepoint") test$parameter, test$p.value)
  }
}
tests <- function(name, design) for (y in c("days", "q")) {
  f <- as.formula(paste0(y, "~sex"))
  g <- as.formula(paste0(y, "~age"))
  t <- svyttest(f, design)
  put(paste(name, y), "t", t$estimate, t$statistic, t$parameter, t$p.value, t$conf.int)
  for (rank in c("wilcoxon", "median")) {
    r <- svyranktest(f, design, test = rank)
    put(paste(name, y), rank, r$estimate, r$statistic, r$parameter, r$p.value)
  }
  r <- svyranktest(g, design, test = "KruskalWallis")
  put(paste(name, y), "kruskal", r$parameter, r$statistic, r$p.value)
  w <- regTermTest(svyglm(g, design), ~age)
  put(paste(name, y), "equal", w$Ftest * w$df, w$df, w$ddf, w$p)
}
two <- svydesign(~ward + household, strata = ~district, weights = ~weight, fpc = ~n_wards + n_households, nest = TRUE, data = d)
one <- svydesign(~ward, strata = ~district, weights = ~weight, nest = TRUE, data = d)
quantiles("two", two, "days", c(0.1, 0.25, 0.4, 0.5, 0.75, 0.9), rules)
quantiles("two", two, "q", c(0.1, 0.25, 0.5, 0.75), c("math", "school"))
quantiles("women", subset(two, sex == "female"), "days", c(0.1, 0.25, 0.5, 0.75, 0.9), rules)
quantiles("rare", subset(two, age == "60+" & q == 5), "days", c(0.5, 0.6), setdiff(rules, "shahvaish"))
# Only those who answered q: with missing answers R's Pearson statistic counts the respondents without them too.
tables("two", subset(two, !is.na(q)))
tables("one", subset(one, !is.na(q)))
tests("two", two)
tests("one", one)
v <- svyvar(~days + q, subset(two, !is.na(days) & !is.na(q)))  # complete: n/(n - 1) counts missing answers too
put("two", "variance", unclass(v)[1:4])
put("two", "variance_se", sqrt(diag(vcov(v))))
result <- do.call(rbind, out)
result$value <- format(result$value, digits = 15, trim = TRUE, scientific = TRUE)
write.csv(result, "survey_tables.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste("survey", packageVersion("survey"))), "survey_tables.VERSIONS")
